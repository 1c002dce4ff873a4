import { planClone, type CloneDecision } from "../../../decide/clone.js";
import { countReplicationConnections } from "../../../decide/base-backup-command.js";
import type { CloneProblem, CloneRequest } from "../../../decide/clone-facts.js";
import { judgeTarget, otherCloneAtWork } from "../../../decide/clone-target.js";
import { exitCodes, type ExitCode } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { announceEvent } from "../../../events/announce-event.js";
import type { Conninfo } from "../../../model/conninfo.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import { resolvePath } from "../../../system/directories.js";
import { acquireProcessLock } from "../../../system/process-lock.js";
import { defineCommand, type CommandContext } from "../../define-command.js";
import { reportProblems, reportWarnings } from "../../report-problems.js";
import { describeStep } from "./describe-step.js";
import { executeClone } from "./execute.js";
import { gatherCloneFacts, gatherTarget, type GatheredFacts } from "./gather.js";
import { writeReplicationConfiguration } from "./replication-conf-only.js";
import { checkCloneOptions, cloneOptionHelp, readCloneRequest, warnAboutUnusedOptions } from "./request.js";

export const standbyClone = defineCommand({
  name: "standby clone",
  summary: "make this host a standby by copying a running node",
  options: cloneOptionHelp,
  effect: "changes",
  takesHost: true,
  configuration: "optional",
  exitCodes: [
    "success",
    "badConfiguration",
    "badRsync",
    "databaseConnection",
    "databaseQuery",
    "badBaseBackup",
  ],
  examples: [
    "-h node1 -U repmgr -d repmgr standby clone --dry-run",
    "-h node1 -U repmgr -d repmgr standby clone --fast-checkpoint",
    "-h node1 -U repmgr standby clone --copy-external-config-files",
  ],
  checkOptions: checkCloneOptions,
  run: async (context, options): Promise<ExitCode> => {
    const request = readCloneRequest(context, options);
    warnAboutUnusedOptions(context, options);
    context.reporter.notice(`destination directory "${request.dataDirectory}" provided`);
    if (options["replication-conf-only"]) return writeReplicationConfiguration(context, request);
    return cloneStandby(context, request);
  },
});

async function cloneStandby(context: CommandContext, request: CloneRequest): Promise<ExitCode> {
  const { reporter } = context;
  const isOurs = request.dryRun || (await holdDataDirectory(context, request.dataDirectory));
  const target = await gatherTarget(context, request.dataDirectory);
  if (!isOurs) return reportProblems(reporter, [otherCloneAtWork(target)]);
  const hopeless = judgeTarget(target);
  if (hopeless.length > 0) return reportProblems(reporter, hopeless);
  const gathered = await gatherCloneFacts(context, request, target);
  const decision = planClone(gathered.facts, request);
  if (decision.kind === "refused") return refuse(context, { request, gathered }, decision.problems);
  reportWarnings(reporter, decision.warnings);
  if (request.dryRun) return reportDryRun(context, { request, gathered }, decision);
  const run = { request, sourceVersion: gathered.facts.source.version };
  try {
    await executeClone(context, run, decision.steps);
  } catch (error) {
    const isSlotFailure = error instanceof UserError && error.exitCode === exitCodes.databaseQuery;
    if (isSlotFailure)
      await announce(context, { request, gathered }, { successful: false, details: error.message });
    throw error;
  }
  reportSuccess(context, request, decision.isRegistered);
  await announce(
    context,
    { request, gathered },
    { successful: true, details: describeClone(request, gathered) },
  );
  return exitCodes.success;
}

/** From before the first look at the directory until the end; false when another clone holds it. */
async function holdDataDirectory({ cleanup }: CommandContext, path: string): Promise<boolean> {
  const release = await acquireProcessLock(`clone ${await resolvePath(path)}`);
  if (release === null) return false;
  cleanup.push(release);
  return true;
}

interface Clone {
  readonly request: CloneRequest;
  readonly gathered: GatheredFacts;
}

/** Of several problems the first, which is the gravest, decides the exit code; a failed slot leaves an event. */
async function refuse(
  context: CommandContext,
  clone: Clone,
  problems: readonly CloneProblem[],
): Promise<ExitCode> {
  const [first] = problems;
  const isAboutSlot = first?.kind === "replication-slot";
  reportProblems(context.reporter, problems);
  if (first?.kind === "configuration-file") return exitCodes.badRsync;
  if (!isAboutSlot) return exitCodes.badConfiguration;
  if (!clone.request.dryRun) {
    await announce(context, clone, { successful: false, details: first.message });
  }
  return exitCodes.databaseQuery;
}

function reportDryRun(
  { reporter }: CommandContext,
  { request, gathered }: Clone,
  decision: Extract<CloneDecision, { readonly kind: "ready" }>,
): ExitCode {
  const { source } = gathered.facts;
  const needed = countReplicationConnections(request);
  const maximum = Number(source.settings.get("max_wal_senders"));
  reporter.info("sufficient walsenders available on the source node", {
    detail: `${needed} required, ${maximum - source.usedWalSenders} available`,
  });
  reporter.info("required number of replication connections could be made to the source server", {
    detail: `${needed} replication connections required`,
  });
  const hint = "consider using the -c/--fast-checkpoint option";
  reporter.notice(
    `standby will attach to upstream node ${decision.upstream.nodeId}`,
    request.fastCheckpoint ? {} : { hint },
  );
  for (const step of decision.steps) reporter.info(describeStep(step));
  reporter.info('all prerequisites for "standby clone" are met');
  return exitCodes.success;
}

function reportSuccess({ reporter }: CommandContext, request: CloneRequest, isRegistered: boolean): void {
  const { programName, dataDirectory } = request;
  const register = isRegistered
    ? `re-register this standby with "${programName} standby register --force" to update the existing node record`
    : `register this standby with "${programName} standby register"`;
  reporter.notice("standby clone (using pg_basebackup) complete");
  reporter.notice("you can now start your PostgreSQL server", {
    hint: [
      `for example: pg_ctl -D ${dataDirectory} start`,
      `after starting the server, you need to ${register}`,
    ],
  });
}

function describeClone({ force }: CloneRequest, { facts }: GatheredFacts): string {
  const { host, port } = facts.source;
  return `cloned from host "${host}", port ${port}; backup method: pg_basebackup; --force: ${force ? "Y" : "N"}`;
}

async function announce(
  context: CommandContext,
  { request, gathered }: Clone,
  outcome: { readonly successful: boolean; readonly details: string },
): Promise<void> {
  if (request.nodeId === null) return;
  const event = { event: "standby_clone", nodeId: request.nodeId, ...outcome } as const;
  const database = await connectToPrimary(context, gathered.primaryConninfo);
  try {
    await announceEvent(context, event, database);
  } finally {
    await database?.close();
  }
}

async function connectToPrimary({ databases, reporter }: CommandContext, conninfo: Conninfo | null) {
  if (conninfo === null) return null;
  try {
    return await databases.connect(conninfo);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    reporter.warning("unable to connect to the primary to record the event", { detail: error.message });
    return null;
  }
}
