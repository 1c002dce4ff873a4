import { join } from "node:path";
import type { RecoveryParameters } from "../../../decide/recovery-parameters.js";
import {
  planRejoin,
  planRejoinCompletion,
  type RejoinProblem,
  type RejoinFacts,
  type RejoinRules,
  type RejoinStep,
} from "../../../decide/rejoin.js";
import { judgeLocalState } from "../../../decide/rejoin-state.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { announceEvent } from "../../../events/announce-event.js";
import { formatConninfo, parseConninfo, type Conninfo } from "../../../model/conninfo.js";
import type { Problem } from "../../../model/problem.js";
import type { NodeRecord } from "../../../model/node-record.js";
import { readPrimaryConninfo } from "../../../postgres/recovery-settings.js";
import { buildRewindCommand, type RewindCommand } from "../../../postgres/rewind.js";
import { decideStandbyParameters } from "../../attach-standby.js";
import { checkVote } from "../../check-vote.js";
import { defineCommand, type CommandContext } from "../../define-command.js";
import { askUpstream, findFormerUpstream, type Participants } from "../../gather-attachment.js";
import { runInterruptibly } from "../../interruption.js";
import { buildRecloneCommand } from "../../reclone-command.js";
import type { OptionValues } from "../../option-table.js";
import { reportProblems, reportWarnings } from "../../report-problems.js";
import { findConfigFiles } from "./config-archive.js";
import { describeRejoinStep } from "./describe-step.js";
import { awaitStart, carryOutAttachingStep, carryOutRejoinStep, type Rejoining } from "./execute.js";
import { findRejoinTarget, gatherRejoinFacts } from "./gather.js";
import { gatherLocalServer, type LocalServer } from "./gather-local.js";
import { describeWalRange } from "./rewind.js";

type Options = OptionValues<
  | "dry-run"
  | "force-rewind"
  | "config-files"
  | "config-archive-dir"
  | "no-wait"
  | "dbname"
  | "host"
  | "port"
  | "username"
>;

const SLOT_FREE_WITHIN_MS = 2000;
const POLL_EVERY_MS = 200;

export const nodeRejoin = defineCommand({
  name: "node rejoin",
  summary: "make this stopped server a standby of the current primary, rewinding it when it diverged",
  options: {
    "dry-run": "check the prerequisites, say whether and why a rewind is needed, change nothing",
    "force-rewind":
      "allow pg_rewind (of PATH); it runs only if the node diverged or was not shut down cleanly",
    "config-files": "files in the data directory to keep through a rewind, separated by commas",
    "config-archive-dir": "where these files are kept meanwhile (default: /tmp)",
    "no-wait": "do not wait until the node is attached",
    dbname: "database of any running node of the cluster, or its connection string",
    host: "host of that node",
    port: "port of that node",
    username: "user to connect to that node as",
  },
  effect: "changes",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "noRestart", "databaseConnection", "rejoinFailed"],
  examples: [
    "node rejoin -d 'host=node2 user=repmgr dbname=repmgr' --dry-run",
    "node rejoin -h node2 --force-rewind --config-files=pg_hba.conf",
  ],
  checkOptions: ({ dbname, host, port, username }) =>
    [dbname, host, port, username].every((value) => value === undefined)
      ? ["database connection parameters for an available node must be provided when executing NODE REJOIN"]
      : [],
  run: async (context, options): Promise<ExitCode> => {
    const { reporter, environment, clock, interrupted } = context;
    const forceRewind = options["force-rewind"] !== undefined;
    const judge = { programName: environment.programName, forceRewind };
    const local = await gatherLocalServer(context);
    const verdict = judgeLocalState(local.state, judge);
    if (verdict.kind === "refused")
      return reportProblems(reporter, [verdict.problem], exitCodes.rejoinFailed);
    if (verdict.kind === "running-standby") return finishRejoin(context, verdict.problem, options);
    if (verdict.warning !== null) reportWarnings(reporter, [verdict.warning]);

    const participants = await findRejoinTarget(context);
    const recloneCommand = buildRecloneCommand(context, participants.target);
    const gather = (): Promise<RejoinFacts> =>
      gatherRejoinFacts(context, local, { ...participants, isClean: verdict.isClean });
    let facts = await gather();
    const rules: RejoinRules = {
      forceRewind,
      useReplicationSlots: context.settings.use_replication_slots,
      parameters: await decideStandbyParameters(context, participants),
      waits: !options["no-wait"],
      recloneCommand,
    };
    let plan = planRejoin(facts, rules);
    const deadline = clock.monotonic() + SLOT_FREE_WITHIN_MS;
    while (plan.kind === "refused") {
      // What a run that was killed a moment ago has started may have come up since the first look.
      const now = judgeLocalState((await gatherLocalServer(context)).state, judge);
      if (now.kind === "running-standby") return finishRejoin(context, now.problem, options);
      // A server that has just been stopped holds its slot for a moment longer.
      if (facts.target.slot?.isActive !== true || clock.monotonic() > deadline)
        return reportRefusal(context, plan.problems);
      await clock.sleep(POLL_EVERY_MS, interrupted);
      facts = await gather();
      plan = planRejoin(facts, rules);
    }
    const { systemIdentifier } = local.control;
    const older = await checkVote(context, { ...participants, systemIdentifier }, "rejoin");
    if (older !== null) return reportProblems(reporter, [older], exitCodes.rejoinFailed);
    const { message, ...continuation } = plan.finding;
    if (plan.rewinds) reporter.notice(message, continuation);
    else reporter.info(message, continuation);
    const command = buildCommand(context, { local, target: participants.target, options });
    const archive = await chooseArchive(context, { local, options, rewinds: plan.rewinds });
    const rejoining = { ...participants, facts, local, recloneCommand, command, archive };
    const work: RejoinWork = {
      ...participants,
      steps: plan.steps,
      describe: (step) => describeRejoinStep(step, rejoining),
      carryOut: (step) => carryOutRejoinStep(context, rejoining, step),
    };
    return options["dry-run"] ? reportDryRun(context, work) : carryOut(context, work);
  },
});

/** Ends what a run that was killed has left to do after it had started the server. */
async function finishRejoin(context: CommandContext, problem: Problem, options: Options): Promise<ExitCode> {
  const { reporter, settings } = context;
  await awaitStart(context);
  const participants = await findRejoinTarget(context);
  const parameters = await decideStandbyParameters(context, participants);
  if (!(await isConfiguredFor(settings.data_directory, parameters)))
    return reportProblems(reporter, [problem], exitCodes.rejoinFailed);
  const facts = {
    own: participants.own,
    target: await askUpstream(participants),
    formerUpstream: await findFormerUpstream(context, participants),
  };
  const plan = planRejoinCompletion(facts, {
    useReplicationSlots: settings.use_replication_slots,
    parameters,
    waits: !options["no-wait"],
  });
  if (plan.kind === "refused") return reportRefusal(context, plan.problems);
  const { target } = participants;
  reporter.info(`this node runs as a standby of rejoin target node ${target.nodeId} already`);
  const attaching = { ...participants, facts };
  const place = { ...participants, archive: null, command: null };
  const work: RejoinWork = {
    ...participants,
    steps: plan.steps,
    describe: (step) => describeRejoinStep(step, place),
    carryOut: (step) => carryOutAttachingStep(context, attaching, step),
  };
  return options["dry-run"] ? reportDryRun(context, work) : carryOut(context, work);
}

/** Whatever database it names: PostgreSQL 17 keeps one for the synchronisation of slots. */
async function isConfiguredFor(dataDirectory: string, parameters: RecoveryParameters): Promise<boolean> {
  const withoutDatabase = (conninfo: Conninfo): string =>
    formatConninfo(new Map([...conninfo].filter(([keyword]) => keyword !== "dbname")));
  const current = await readPrimaryConninfo(dataDirectory);
  const wanted = parseConninfo(parameters.get("primary_conninfo") ?? "");
  return current !== null && withoutDatabase(current) === withoutDatabase(wanted);
}

function reportDryRun({ reporter }: CommandContext, { steps, describe }: RejoinWork): ExitCode {
  for (const step of steps) reporter.info(`would ${describe(step)}`);
  reporter.info("prerequisites for executing NODE REJOIN are met");
  return exitCodes.success;
}

function reportRefusal({ reporter }: CommandContext, problems: readonly RejoinProblem[]): ExitCode {
  const isPrerequisite = problems.every((problem) => problem.isPrerequisite === true);
  return reportProblems(
    reporter,
    problems,
    isPrerequisite ? exitCodes.badConfiguration : exitCodes.rejoinFailed,
  );
}

/** Since this version pg_rewind can be told where postgresql.conf is. */
const CONFIG_FILE_SINCE = 15;

function buildCommand(
  { settings }: CommandContext,
  {
    local,
    target,
    options,
  }: { readonly local: LocalServer; readonly target: NodeRecord; readonly options: Options },
): RewindCommand {
  const given = options["force-rewind"];
  const installed = local.binDirectory === "" ? "pg_rewind" : `${local.binDirectory}/pg_rewind`;
  const hasOtherPlace = settings.config_directory !== "" && local.majorVersion >= CONFIG_FILE_SINCE;
  return buildRewindCommand({
    program: typeof given === "string" ? given : installed,
    dataDirectory: settings.data_directory,
    source: parseConninfo(target.conninfo),
    configFile: hasOtherPlace ? join(settings.config_directory, "postgresql.conf") : null,
  });
}

/** The archive of an interrupted run is the one that counts. */
async function chooseArchive(
  context: CommandContext,
  {
    local,
    options,
    rewinds,
  }: { readonly local: LocalServer; readonly options: Options; readonly rewinds: boolean },
): Promise<Rejoining["archive"]> {
  if (local.marker !== null) return local.marker.archive;
  const names = (options["config-files"] ?? "").split(",").map((name) => name.trim());
  const given = names.filter((name) => name !== "");
  if (!rewinds || given.length === 0) return null;
  const files = await findConfigFiles(context, given);
  const place = options["config-archive-dir"] ?? "/tmp";
  return { directory: join(place, `repmgr-config-archive-${context.settings.node_name}`), files };
}

interface RejoinWork extends Participants {
  readonly steps: readonly RejoinStep[];
  readonly describe: (step: RejoinStep) => string;
  readonly carryOut: (step: RejoinStep) => Promise<void>;
}

async function carryOut(context: CommandContext, work: RejoinWork): Promise<ExitCode> {
  const { own, target, primaryDatabase, steps } = work;
  const { reporter, interrupted } = context;
  const event = {
    event: "node_rejoin",
    nodeId: own.nodeId,
    subject: { nodeId: target.nodeId, nodeName: target.nodeName, conninfo: target.conninfo },
  } as const;
  const discards = steps.find((step) => step.kind === "rewind")?.discards ?? null;
  const discarded = discards === null ? "" : `; discarded by pg_rewind: WAL of ${describeWalRange(discards)}`;
  try {
    await runInterruptibly(
      context,
      { command: "node rejoin", exitCode: exitCodes.rejoinFailed, ...work },
      work.carryOut,
    );
  } catch (error) {
    if (!(error instanceof UserError) || interrupted.aborted) throw error;
    reporter.error("NODE REJOIN failed");
    const details = `${error.message}${discarded === "" ? "" : discarded.replace("discarded", "to be discarded")}`;
    await announceEvent(context, { ...event, successful: false, details }, primaryDatabase);
    throw error;
  }
  const detail = `node ${own.nodeId} is now attached to node ${target.nodeId}`;
  await announceEvent(
    context,
    { ...event, successful: true, details: `${detail}${discarded}` },
    primaryDatabase,
  );
  reporter.notice("NODE REJOIN successful", { detail });
  return exitCodes.success;
}
