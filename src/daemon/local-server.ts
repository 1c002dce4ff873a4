import { join } from "node:path";
import { readControlFile } from "../postgres/control-file.js";
import { findProgramDirectory } from "../postgres/program-directory.js";
import { buildServerCommand, runServerCommand } from "../postgres/service-control.js";
import { writeRecoverySettings } from "../postgres/recovery-settings.js";
import { describeFailure, readFileIfThere, replaceFile, resolvePath } from "../system/directories.js";
import { findChildren, findProcess, signalProcess, type ProcessFacts } from "../system/process-table.js";
import type { DaemonContext } from "./daemon-context.js";

const QUIT_WITHIN_MS = 2000;
const KILL_WITHIN_MS = 2000;
const POLL_EVERY_MS = 20;
/** A disk that does not answer must not hold up the stop. */
const WRITE_WITHIN_MS = 1000;

/** A server with this file comes up read-only, whoever starts it. Throws the file system's error. */
export async function armStandbySignal({ settings }: Pick<DaemonContext, "settings">): Promise<void> {
  await replaceFile(join(settings().data_directory, "standby.signal"), new Uint8Array(), 0o600);
}

/**
 * Makes the server come up read-only whoever starts it, receiving from nobody: it could have a twin, and would follow it
 * before its log was judged. What the file system refuses is told, since the stop must not wait for it.
 */
export async function makeStandbyOfNobody(context: DaemonContext): Promise<boolean> {
  const { data_directory } = context.settings();
  const write = async (): Promise<null> => {
    await writeRecoverySettings(data_directory, new Map([["primary_conninfo", ""]]));
    return null;
  };
  const failure = await Promise.race([
    write().catch((error: unknown) => describeFailure(error)),
    context.clock.sleep(WRITE_WITHIN_MS).then(() => `no answer within ${WRITE_WITHIN_MS} ms`),
  ]);
  if (failure === null) return true;
  context.reporter.error("unable to make the local server a standby before it is stopped", {
    detail: failure,
    hint: `do not start it before there is a file "standby.signal" in "${data_directory}"`,
  });
  return false;
}

/**
 * Stops the own server without asking it: SIGQUIT, then SIGKILL. A polite stop would wait for clients, which go on
 * writing, or for standbys. True when no postmaster is left.
 */
export async function stopAtOnce(context: DaemonContext): Promise<boolean> {
  const { clock } = context;
  const postmaster = await findPostmaster(context);
  if (postmaster === null) return true;
  const { pid, startTime } = postmaster;
  const waitUntilGone = async (limitMs: number): Promise<boolean> => {
    const deadline = clock.monotonic() + limitMs;
    for (;;) {
      const facts = await findProcess(pid);
      if (facts === null || facts.startTime !== startTime) return true;
      if (clock.monotonic() > deadline) return false;
      await clock.sleep(POLL_EVERY_MS);
    }
  };
  signalProcess(pid, "SIGQUIT");
  if (await waitUntilGone(QUIT_WITHIN_MS)) return true;
  // A postmaster that was stopped passes nothing on, and its sessions would outlive it.
  const sessions = await findChildren(pid);
  for (const process of [pid, ...sessions]) signalProcess(process, "SIGKILL");
  return waitUntilGone(KILL_WITHIN_MS);
}

/** The process that holds the data directory; null when there is none. */
export async function findPostmaster(context: DaemonContext): Promise<ProcessFacts | null> {
  const { data_directory } = context.settings();
  const text = await readFileIfThere(join(data_directory, "postmaster.pid"), "utf8").catch(() => null);
  const pid = Number.parseInt(text ?? "", 10);
  const facts = pid > 0 ? await findProcess(pid) : null;
  if (facts === null) return null;
  const { commandLine, workingDirectory } = facts;
  const isOtherProgram = commandLine !== null && !/postgres|postmaster/.test(commandLine[0] ?? "");
  // A number that somebody else got since, perhaps another server.
  const isOtherServer = workingDirectory !== null && workingDirectory !== (await resolvePath(data_directory));
  return isOtherProgram || isOtherServer ? null : facts;
}

/** Down, and not because somebody shut it down. What cannot be read is left to a person. */
export async function hasCrashed(context: DaemonContext): Promise<boolean> {
  const { data_directory: dataDirectory, pg_bindir: configured } = context.settings();
  if ((await findPostmaster(context)) !== null) return false;
  const searchPath = context.environment.variables["PATH"] ?? "";
  const binDirectory = await findProgramDirectory({ configured, dataDirectory, searchPath });
  const reading = await readControlFile(context.processes, { binDirectory, dataDirectory });
  return reading.kind === "read" && !reading.control.state.startsWith("shut down");
}

/** With the configured command, else pg_ctl. True when it ended well. */
export async function startServer(context: DaemonContext): Promise<boolean> {
  const settings = context.settings();
  const directory = settings.config_directory || settings.data_directory;
  const command = buildServerCommand(settings, "start", { directory });
  context.reporter.notice("starting the local server", { detail: `executing "${command}"` });
  const result = await runServerCommand(context.processes, command);
  if (result.exitCode === 0) return true;
  context.reporter.error("unable to start the local server", { detail: result.stderr.trim() });
  return false;
}
