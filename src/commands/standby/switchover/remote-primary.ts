import type {
  ArchiveAnswer,
  CheckAnswer,
  RefusedCommand,
  RemoteFacts,
} from "../../../decide/switchover-facts.js";
import type { ShutdownReport } from "../../../decide/switchover.js";
import { UserError } from "../../../errors/user-error.js";
import { parseLsn } from "../../../model/lsn.js";
import { parseConninfo } from "../../../model/conninfo.js";
import type { NodeRecord } from "../../../model/node-record.js";
import type { RemoteResult } from "../../../remote/transport.js";
import type { CommandContext } from "../../define-command.js";
import { problemOf, quoteRemoteOutput, reachProgram, type RemoteProgramThere } from "../../remote-program.js";

interface Asked {
  readonly own: NodeRecord;
  readonly primary: NodeRecord;
  readonly superuser: string | null;
  readonly archives: boolean;
}

/** Everything that the host of the primary is asked before a switchover, at once (reference: repmgr-cli 10). */
export async function askRemotePrimary(context: CommandContext, asked: Asked): Promise<RemoteFacts> {
  try {
    const there = await reachProgram(context, asked.primary);
    const superuserWords = ["--db-connection", `--superuser=${asked.superuser ?? ""}`];
    const [hasConfigFile, checks, superuser, commands] = await Promise.all([
      there.hasFile(asked.primary.configFile),
      askChecks(there, asked),
      asked.superuser === null ? null : askOne(there, "db-connection", superuserWords),
      readServiceCommands(there),
    ]);
    return {
      kind: "usable",
      product: there.version.product,
      hasConfigFile,
      ...checks,
      superuser,
      stopCommand: commands.stop,
      refusedCommands: await findRefused(there, [commands.stop, commands.start]),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: "unusable", problem: problemOf(error) };
  }
}

/** `--key=value` words, as both programs print them for each other. */
function parseOptions(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/(?<!\S)--([\w-]+)=(\S*)/g)].map(([, key = "", value = ""]) => [key, value]),
  );
}

type Checks = Pick<
  Extract<RemoteFacts, { readonly kind: "usable" }>,
  "dataDirectory" | "configOwner" | "replicationConnection" | "archive"
>;

/** Our own program answers all of it in one process; the reference takes one check at a time. */
async function askChecks(there: RemoteProgramThere, { own, archives }: Asked): Promise<Checks> {
  const connectionWords = [`--remote-node-id=${own.nodeId}`, "--replication-connection"];
  if (there.version.product === "tsrepmgr") {
    const words = [...connectionWords, "--data-directory-config", "--replication-config-owner"];
    const result = await runCheck(there, [...words, ...(archives ? ["--archive-ready"] : []), "--optformat"]);
    return {
      dataDirectory: pickAnswer(result, "configured-data-directory"),
      configOwner: pickAnswer(result, "replication-config-owner"),
      replicationConnection: pickAnswer(result, "connection"),
      archive: archives ? pickArchive(result) : null,
    };
  }
  const [dataDirectory, configOwner, replicationConnection, archive] = await Promise.all([
    askOne(there, "configured-data-directory", ["--data-directory-config"]),
    askOne(there, "replication-config-owner", ["--replication-config-owner"]),
    runCheck(there, connectionWords).then((result) => pickAnswer(result, "connection")),
    archives ? runCheck(there, ["--terse", "-LERROR", "--archive-ready", "--optformat"]) : null,
  ]);
  return {
    dataDirectory,
    configOwner,
    replicationConnection,
    archive: archive === null ? null : pickArchive(archive),
  };
}

const runCheck = (there: RemoteProgramThere, words: readonly string[]): Promise<RemoteResult> =>
  there.run(["node", "check", ...words]);

async function askOne(
  there: RemoteProgramThere,
  name: string,
  words: readonly string[],
): Promise<CheckAnswer> {
  return pickAnswer(await runCheck(there, [...words, "--optformat", "-LINFO"]), name);
}

function pickAnswer(result: RemoteResult, name: string): CheckAnswer {
  const options = parseOptions(result.stdout);
  const value = options.get(name) ?? options.get("error");
  return value === undefined
    ? { kind: "failed", reason: quoteRemoteOutput(result) }
    : { kind: "answered", value };
}

function pickArchive(result: RemoteResult): ArchiveAnswer {
  const options = parseOptions(result.stdout);
  const status = options.get("status");
  if (status === undefined)
    return { kind: "failed", reason: options.get("error") ?? quoteRemoteOutput(result) };
  return {
    kind: "answered",
    status,
    files: options.get("files") ?? "?",
    threshold: options.get("threshold") ?? "?",
  };
}

/** Of the list that both programs print; empty for what is not in it. */
async function readServiceCommands(
  there: RemoteProgramThere,
): Promise<{ readonly stop: string; readonly start: string }> {
  const { stdout } = await there.run(["node", "service", "--terse", "-LERROR", "--list-actions"]);
  const find = (action: string): string => new RegExp(`^\\s*${action}: "(.*)"$`, "m").exec(stdout)?.[1] ?? "";
  return { stop: find("stop"), start: find("start") };
}

async function findRefused(
  there: RemoteProgramThere,
  commands: readonly string[],
): Promise<readonly RefusedCommand[]> {
  const asked = commands.map(async (command) => ({ command, reason: await askSudo(there, command) }));
  return (await Promise.all(asked)).flatMap(({ command, reason }) =>
    reason === null ? [] : [{ command, reason }],
  );
}

/** A password prompt would hang where nobody sees it. */
async function askSudo(there: RemoteProgramThere, command: string): Promise<string | null> {
  const words = /^sudo\s+(?:-n\s+)?([^;&|]+)$/.exec(command)?.[1];
  if (words === undefined) return null;
  const result = await there.shell.run(`sudo -n -l ${words}`, { timeoutMs: 10_000 });
  return result.exitCode === 0 ? null : quoteRemoteOutput(result);
}

interface Stop {
  readonly primary: NodeRecord;
  readonly superuser: string | null;
  readonly timeoutMs: number;
  /** An earlier run may have stopped it. */
  readonly isResumed: boolean;
}

/** What the reference takes for one round; its answers come at the pace of processes. */
const REFERENCE_POLL_MS = 100;

/** A shutdown whose connection broke is looked for again at this pace. */
const RETRY_MS = 500;

/**
 * Stops the primary and waits until it is down. Our own program there answers on the same connection, without a process
 * for each look. `signal` ends the waiting, not the shutdown. Throws UserError.
 */
export async function stopPrimary(
  context: CommandContext,
  stop: Stop,
  signal: AbortSignal,
): Promise<ShutdownReport> {
  const { reporter, clock } = context;
  const deadline = clock.monotonic() + stop.timeoutMs;
  const there = await reachProgram(context, stop.primary);
  if (stop.isResumed) {
    const report = await readShutdown(there);
    if (report.kind !== "RUNNING") return report;
  }
  const isOurs = there.version.product === "tsrepmgr";
  const args = [
    ...["node", "service", "--action=stop", "--checkpoint"],
    ...(stop.superuser === null ? [] : [`--superuser=${stop.superuser}`]),
    ...(isOurs ? [`--wait=${Math.ceil(stop.timeoutMs / 1000)}`] : []),
  ];
  try {
    const result = await there.run(args, { signal });
    if (result.exitCode !== 0) {
      reporter.warning("the command that stops the primary failed", { detail: quoteRemoteOutput(result) });
    } else if (isOurs) {
      return parseShutdown(result.stdout);
    }
  } catch (error) {
    if (!(error instanceof UserError) || signal.aborted) throw error;
    reporter.warning("the connection to the primary's host broke during the shutdown", {
      detail: error.message,
    });
  }
  return pollShutdown(context, { ...stop, deadline }, signal);
}

/** A program of the reference, or a connection that broke: look again and again. */
async function pollShutdown(
  context: CommandContext,
  { primary, deadline }: Stop & { readonly deadline: number },
  signal: AbortSignal,
): Promise<ShutdownReport> {
  const { clock, databases } = context;
  let unreachable: UserError | null = null;
  for (;;) {
    if ((await databases.ping(parseConninfo(primary.conninfo))) === "no-response") {
      try {
        const report = await readShutdown(await reachProgram(context, primary));
        unreachable = null;
        if (report.kind !== "RUNNING") return report;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        unreachable = error;
      }
    }
    if (clock.monotonic() >= deadline) {
      if (unreachable !== null) throw unreachable;
      return { kind: "RUNNING" };
    }
    await clock.sleep(unreachable === null ? REFERENCE_POLL_MS : RETRY_MS, signal);
  }
}

async function readShutdown(there: RemoteProgramThere): Promise<ShutdownReport> {
  const { stdout } = await there.run(["node", "status", "--is-shutdown-cleanly"]);
  return parseShutdown(stdout);
}

function parseShutdown(stdout: string): ShutdownReport {
  const options = parseOptions(stdout);
  const lsn = options.get("last-checkpoint-lsn");
  switch (options.get("state")) {
    case "SHUTDOWN":
      return lsn === undefined ? { kind: "UNKNOWN" } : { kind: "SHUTDOWN", checkpointLsn: parseLsn(lsn) };
    case "UNCLEAN_SHUTDOWN":
      return { kind: "UNCLEAN_SHUTDOWN" };
    case "RUNNING":
    case "UP":
    case "SHUTTING_DOWN":
      return { kind: "RUNNING" };
    default:
      return { kind: "UNKNOWN" };
  }
}

/** Starts the old primary as what it was; a shutdown that hangs is ended. Throws UserError. */
export async function startPrimary(context: CommandContext, primary: NodeRecord): Promise<void> {
  const there = await reachProgram(context, primary);
  const force = there.version.product === "tsrepmgr" ? ["--force"] : [];
  await there.runOrFail(["node", "service", "--action=start", ...force]);
}
