import { planStandbyRegistration, type StandbyRegistrationStep } from "../../../decide/register-standby.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { SCHEMA_VERSION } from "../../../metadata/install-schema.js";
import { describeNode, nodeId } from "../../../model/node-record.js";
import { awaitMembership } from "../../await-membership.js";
import { defineCommand } from "../../define-command.js";
import { keepKnownCluster } from "../../keep-known-cluster.js";
import { markRun } from "../../marked-run.js";
import { buildOwnRecord } from "../../own-record.js";
import { reportProblems, reportWarnings } from "../../report-problems.js";
import { awaitRecordSync, writeRegistration } from "./execute.js";
import { gatherRegistration } from "./gather.js";

const DEFAULT_WAIT_START_SECONDS = 30;

export const standbyRegister = defineCommand({
  name: "standby register",
  summary: "add this standby's record to the cluster, or bring it up to date",
  options: {
    "dry-run": "check the prerequisites and show what would be done",
    force:
      "overwrite an existing record; with connection options of the primary also while this standby is down",
    "upstream-node-id": "node from which this standby replicates (default: the primary)",
    "upstream-conninfo": "connection string of an upstream node that is not registered yet",
    "wait-start": `wait for this standby to start (default: ${DEFAULT_WAIT_START_SECONDS} seconds)`,
    "wait-sync": "wait until the record has reached this standby (without a value: for ever)",
    dbname: "database of the primary, or its connection string",
    host: "host of the primary",
    port: "port of the primary",
    username: "user on the primary",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "registrationSync"],
  examples: ["standby register --wait-sync=60"],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter } = context;
    const own = buildOwnRecord(context, { type: "standby", upstreamNodeId: null });
    const upstreamOption = options["upstream-node-id"];
    const upstreamNodeId = upstreamOption === undefined ? null : nodeId(upstreamOption);
    const gathered = await gatherRegistration(context, own, {
      force: options.force,
      upstreamNodeId,
      waitStartMs: (options["wait-start"] ?? DEFAULT_WAIT_START_SECONDS) * 1000,
    });
    const { facts } = gathered;
    const marked = await markRun(context, "standby register");
    const rules = {
      record: own,
      force: options.force,
      goesOn: marked.goesOn,
      upstreamNodeId,
      upstreamConninfo: options["upstream-conninfo"] ?? null,
      schemaVersion: SCHEMA_VERSION,
    };
    const decide = (records: typeof facts.records): ReturnType<typeof planStandbyRegistration> =>
      planStandbyRegistration({ ...facts, records }, rules);
    const decision = decide(facts.records);
    if (decision.kind === "refused") return reportProblems(reporter, decision.problems);
    reportWarnings(reporter, decision.warnings);
    if (options["dry-run"]) {
      for (const step of decision.steps) reporter.info(`would ${describeStep(step)}`);
      reporter.info('all prerequisites for "standby register" are met');
      return exitCodes.success;
    }

    const record = { ...own, upstreamNodeId: decision.upstreamNodeId };
    const written = decision.steps.at(-1)?.record ?? record;
    const registration = {
      ...gathered,
      decision: { steps: decision.steps, records: facts.records, decide },
      record: written,
      force: options.force,
    };
    const sync = options["wait-sync"];
    return marked.during(async () => {
      await writeRegistration(context, registration);
      if (gathered.local !== null && sync !== undefined && sync !== 0) {
        const timeoutMs = sync === true ? null : sync * 1000;
        await awaitRecordSync(context, registration, { local: gathered.local, timeoutMs });
      }
      if (gathered.local !== null) await keepKnownCluster(context, gathered.local, gathered.primary);
      reporter.info("standby registration complete");
      reporter.notice(`standby node ${describeNode(own)} successfully registered`);
      const isNew = decision.steps.some(({ kind }) => kind !== "update-record");
      return isNew
        ? awaitMembership(context, gathered.primary, { before: facts.records, force: options.force })
        : exitCodes.success;
    });
  },
});

function describeStep({ kind, record }: StandbyRegistrationStep): string {
  switch (kind) {
    case "insert-placeholder":
      return `create a placeholder record for upstream node ${record.nodeId}`;
    case "insert-record":
      return `register this standby (ID: ${record.nodeId}) with upstream node ${record.upstreamNodeId}`;
    case "update-record":
      return `update the record of this standby (ID: ${record.nodeId}), upstream node ${record.upstreamNodeId}`;
  }
}
