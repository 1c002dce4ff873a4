import { planWitnessRegistration, type WitnessRegistrationStep } from "../../../decide/register-witness.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { SCHEMA_VERSION } from "../../../metadata/install-schema.js";
import { describeNode } from "../../../model/node-record.js";
import { awaitMembership } from "../../await-membership.js";
import { defineCommand } from "../../define-command.js";
import { markRun } from "../../marked-run.js";
import { buildOwnRecord } from "../../own-record.js";
import { describeSchemaStep } from "../../prepare-schema.js";
import { reportProblems, reportWarnings } from "../../report-problems.js";
import { carryOut } from "./execute.js";
import { gatherWitness } from "./gather.js";

export const witnessRegister = defineCommand({
  name: "witness register",
  summary:
    "add this server to the cluster as a witness, or bring its record and its copy of the records up to date",
  options: {
    "dry-run": "check the prerequisites and show what would be done",
    force: "overwrite an existing node record and the node records on the witness",
    superuser: "superuser that creates the schema on the witness when the repmgr user may not",
    dbname: "database of the primary, or its connection string (default: as in conninfo of the witness)",
    host: "host of the primary (required)",
    port: "port of the primary",
    username: "user on the primary (default: as in conninfo of the witness)",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "registrationSync"],
  examples: ["witness register -h node1", "witness register -h node1 --force"],
  checkOptions: (_options, connection) =>
    ["host", "hostaddr", "service"].some((keyword) => connection.has(keyword))
      ? []
      : ["host name for the source node must be provided with -h/--host when executing WITNESS REGISTER"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter } = context;
    const record = buildOwnRecord(context, { type: "witness", upstreamNodeId: null });
    const { facts, ...gathered } = await gatherWitness(context, record, options.superuser);
    const marked = await markRun(context, "witness register");
    const decision = planWitnessRegistration(facts, {
      record,
      force: options.force,
      goesOn: marked.goesOn,
      schemaVersion: SCHEMA_VERSION,
    });
    if (decision.kind === "refused") return reportProblems(reporter, decision.problems);
    reportWarnings(reporter, decision.warnings);
    const { steps, upstreamNodeId } = decision;
    if (facts.witness.schema.exists)
      reporter.info(
        `"repmgr" ${facts.witness.schema.extensionVersion === null ? "schema" : "extension"} is already installed`,
      );
    if (options["dry-run"]) {
      for (const step of steps) reporter.info(`would ${describeStep(step)}`);
      reporter.info("prerequisites for registering the witness node are met");
      return exitCodes.success;
    }
    return marked.during(async () => {
      await carryOut(context, { ...gathered, record, steps, upstreamNodeId });
      reporter.info("witness registration complete");
      reporter.notice(`witness node ${describeNode(record)} successfully registered`);
      const isNew = steps.some(({ kind }) => kind === "insert-record");
      return isNew
        ? awaitMembership(context, gathered.primary, { before: facts.primary.records, force: options.force })
        : exitCodes.success;
    });
  },
});

function describeStep(step: WitnessRegistrationStep): string {
  switch (step.kind) {
    case "create-schema":
    case "upgrade-schema":
      return `${describeSchemaStep(step)} on the witness`;
    case "insert-record":
      return `register this witness (ID: ${step.record.nodeId}) with upstream node ${step.record.upstreamNodeId}`;
    case "update-record":
      return `update the record of this witness (ID: ${step.record.nodeId}), upstream node ${step.record.upstreamNodeId}`;
    case "copy-records":
      return "copy the node records of the primary to the witness";
  }
}
