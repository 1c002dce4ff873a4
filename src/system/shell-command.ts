import { makeOutputFile } from "./output-file.js";
import type { ProcessResult, Processes, RunOptions } from "./processes.js";

const NOT_RUN: ProcessResult = {
  exitCode: null,
  signal: null,
  stdout: "",
  stderr: "",
  timedOut: false,
  startFailure: null,
};

/**
 * Runs a command line that the user configured (`service_*_command`, `event_notification_command` …) through
 * `/bin/sh`, as repmgr does. This module is the only place where configured text meets a shell.
 *
 * Such a command may leave a server or something else behind, which inherits its output: a pipe would stay open, and
 * we would wait, for as long as that runs. So both outputs go to a file, and are given as `stderr`.
 */
export async function runShellCommand(
  processes: Processes,
  commandLine: string,
  options?: RunOptions,
): Promise<ProcessResult> {
  const made = makeOutputFile();
  if (!made.ok) return { ...NOT_RUN, stderr: made.reason, startFailure: made.reason };
  const { file } = made;
  const redirected = ["-c", 'exec >"$1" 2>&1; eval "$2"', "sh", file.path, commandLine];
  const result = await processes.run("/bin/sh", redirected, options);
  return { ...result, stderr: file.take() };
}
