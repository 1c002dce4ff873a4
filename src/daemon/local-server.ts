import { join } from "node:path";
import { buildServerCommand, runServerCommand } from "../postgres/service-control.js";
import { readFileIfThere, replaceFile } from "../system/directories.js";
import { findProcess, signalProcess } from "../system/process-table.js";
import type { DaemonContext } from "./daemon-context.js";

const QUIT_WITHIN_MS = 2000;
const KILL_WITHIN_MS = 2000;
const POLL_EVERY_MS = 20;

/** A server with this file comes up read-only, whoever starts it. Throws the file system's error. */
export async function armStandbySignal({ settings }: Pick<DaemonContext, "settings">): Promise<void> {
  await replaceFile(join(settings().data_directory, "standby.signal"), new Uint8Array(), 0o600);
}

/**
 * Stops the own server without asking it: SIGQUIT, then SIGKILL. A polite stop would wait for clients, which go on
 * writing, or for standbys. True when no postmaster is left.
 */
export async function stopAtOnce(context: DaemonContext): Promise<boolean> {
  const { clock } = context;
  const pid = await readPostmaster(context);
  if (pid === null) return true;
  const waitUntilGone = async (limitMs: number): Promise<boolean> => {
    const deadline = clock.monotonic() + limitMs;
    while ((await findProcess(pid)) !== null) {
      if (clock.monotonic() > deadline) return false;
      await clock.sleep(POLL_EVERY_MS);
    }
    return true;
  };
  signalProcess(pid, "SIGQUIT");
  if (await waitUntilGone(QUIT_WITHIN_MS)) return true;
  signalProcess(pid, "SIGKILL");
  return waitUntilGone(KILL_WITHIN_MS);
}

async function readPostmaster(context: DaemonContext): Promise<number | null> {
  const text = await readFileIfThere(join(context.settings().data_directory, "postmaster.pid"), "utf8").catch(
    () => null,
  );
  const pid = Number.parseInt(text ?? "", 10);
  if (!(pid > 0)) return null;
  const facts = await findProcess(pid);
  // A number that somebody else got since.
  const isServer = facts?.commandLine?.[0]?.includes("postgres") ?? facts !== null;
  return isServer ? pid : null;
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
