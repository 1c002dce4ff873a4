import {
  planPrimaryRegistration,
  type PrimaryRegistrationFacts,
  type PrimaryRegistrationStep,
} from "../../../decide/register-primary.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { SCHEMA_VERSION } from "../../../metadata/install-schema.js";
import type { Plan } from "../../../model/plan.js";
import { connectToLocalNode } from "../../connect-local.js";
import { defineCommand } from "../../define-command.js";
import { keepKnownCluster } from "../../keep-known-cluster.js";
import { markRun } from "../../marked-run.js";
import { buildOwnRecord } from "../../own-record.js";
import { connectSchemaOwner, describeSchemaStep } from "../../prepare-schema.js";
import { reportProblems, reportWarnings } from "../../report-problems.js";
import { carryOut } from "./execute.js";
import { gatherFacts } from "./gather.js";

export const primaryRegister = defineCommand({
  name: "primary register",
  summary: "make this server the primary of a new cluster, or bring its record up to date",
  options: {
    "dry-run": "check the prerequisites and show what would be done",
    force: "overwrite an existing node record",
    superuser: "superuser that creates the schema when the repmgr user may not",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "databaseQuery"],
  examples: ["-f /etc/repmgr.conf primary register --dry-run"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter } = context;
    reporter.info("connecting to primary database...");
    const database = await connectToLocalNode(context);
    const record = buildOwnRecord(context, { type: "primary", upstreamNodeId: null });
    const schemaOwner = await connectSchemaOwner(context, database, options.superuser);

    const facts = await gatherFacts(context, { database, schemaOwner, record });
    const marked = await markRun(context, "primary register");
    const rules = {
      record,
      force: options.force,
      goesOn: marked.goesOn,
      schemaVersion: SCHEMA_VERSION,
    };
    const decide = (records: PrimaryRegistrationFacts["records"]): Plan<PrimaryRegistrationStep> =>
      planPrimaryRegistration({ ...facts, records }, rules);
    const decision = decide(facts.records);
    if (decision.kind === "refused") return reportProblems(reporter, decision.problems);
    reportWarnings(reporter, decision.warnings);
    if (facts.schema.exists)
      reporter.info(
        `"repmgr" ${facts.schema.extensionVersion === null ? "schema" : "extension"} is already installed`,
      );
    if (options["dry-run"]) {
      for (const step of decision.steps) reporter.info(`would ${describeStep(step)}`);
      reporter.info('all prerequisites for "primary register" are met');
      return exitCodes.success;
    }
    await marked.during(() =>
      carryOut(context, {
        database,
        schemaOwner,
        record,
        decision: { steps: decision.steps, records: facts.records, decide },
      }),
    );
    await keepKnownCluster(context, database);
    return exitCodes.success;
  },
});

function describeStep(step: PrimaryRegistrationStep): string {
  switch (step.kind) {
    case "create-schema":
    case "upgrade-schema":
      return describeSchemaStep(step);
    case "ensure-voting-term":
      return "make sure that a voting term is recorded";
    case "deactivate-node":
      return `set the record of node ${step.node} to inactive`;
    case "insert-record":
      return `register this node as primary (ID: ${step.record.nodeId})`;
    case "update-record":
      return `update the record of this node (ID: ${step.record.nodeId})`;
  }
}
