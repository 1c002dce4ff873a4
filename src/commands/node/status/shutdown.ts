import { judgeShutdown, renderShutdownState } from "../../../decide/shutdown-state.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { findProgramDirectory } from "../../../postgres/program-directory.js";
import { readControlFile } from "../../../postgres/control-file.js";
import { readDataDirectoryState } from "../../../postgres/data-directory.js";
import type { CommandContext } from "../../define-command.js";

/** `--is-shutdown-cleanly`: one line about the server of the data directory; needs no connection to it. */
export async function describeShutdown(context: CommandContext): Promise<string> {
  const { settings, databases, processes, environment } = context;
  const answer = await databases.ping(parseConninfo(settings.conninfo));
  const directory = await readDataDirectoryState(settings.data_directory);
  const isDataDirectory = directory.kind === "directory" && directory.isDataDirectory;
  const isServerUp =
    answer === "accepting" ||
    answer === "rejecting" ||
    (directory.kind === "directory" && directory.serverPid !== null);
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
    context.reporter.warning("unable to read pg_control", { detail: reading.reason });
  const control = reading?.kind === "read" ? reading.control : null;
  return renderShutdownState(judgeShutdown({ isDataDirectory, isServerUp, control }));
}
