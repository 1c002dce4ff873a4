import { judgeShutdown, renderShutdownState, type ShutdownState } from "../../../decide/shutdown-state.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { findProgramDirectory } from "../../../postgres/program-directory.js";
import { readControlFile } from "../../../postgres/control-file.js";
import { readDataDirectoryState } from "../../../postgres/data-directory.js";
import type { CommandContext } from "../../define-command.js";

/** `--is-shutdown-cleanly`: one line about the server of the data directory; needs no connection to it. */
export async function describeShutdown(context: CommandContext): Promise<string> {
  const { settings, databases } = context;
  const answer = await databases.ping(parseConninfo(settings.conninfo));
  const directory = await readDataDirectoryState(settings.data_directory);
  const isDataDirectory = directory.kind === "directory" && directory.isDataDirectory;
  const isServerUp =
    answer === "accepting" ||
    answer === "rejecting" ||
    (directory.kind === "directory" && directory.serverPid !== null);
  return renderShutdownState(await judgeByControlFile(context, { isDataDirectory, isServerUp }));
}

const POLL_MS = 10;

/** Waits until no server runs on the data directory, at most `timeoutMs`; starts no process while it does. */
export async function awaitShutdown(context: CommandContext, timeoutMs: number): Promise<ShutdownState> {
  const { settings, clock, interrupted } = context;
  const deadline = clock.monotonic() + timeoutMs;
  for (;;) {
    const directory = await readDataDirectoryState(settings.data_directory);
    const isDataDirectory = directory.kind === "directory" && directory.isDataDirectory;
    const isServerUp = directory.kind === "directory" && directory.serverPid !== null;
    if (!isServerUp || clock.monotonic() >= deadline)
      return judgeByControlFile(context, { isDataDirectory, isServerUp });
    await clock.sleep(POLL_MS, interrupted);
  }
}

async function judgeByControlFile(
  { settings, processes, reporter, environment }: CommandContext,
  { isDataDirectory, isServerUp }: { readonly isDataDirectory: boolean; readonly isServerUp: boolean },
): Promise<ShutdownState> {
  const reading = isDataDirectory
    ? await readControlFile(processes, {
        binDirectory: await findProgramDirectory({
          configured: settings.pg_bindir,
          dataDirectory: settings.data_directory,
          searchPath: environment.variables["PATH"] ?? "",
        }),
        dataDirectory: settings.data_directory,
      })
    : null;
  if (reading?.kind === "unreadable")
    reporter.warning("unable to read pg_control", { detail: reading.reason });
  const control = reading?.kind === "read" ? reading.control : null;
  return judgeShutdown({ isDataDirectory, isServerUp, control });
}
