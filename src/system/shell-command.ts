import { makeOutputFile } from "./output-file.js";
import type { ProcessResult, Processes, RunOptions } from "./processes.js";

/**
 * Runs a command line that the user configured (`service_*_command`, `event_notification_command` …) through
 * `/bin/sh`, as repmgr does. This module is the only place where configured text meets a shell.
 */
export function runShellCommand(
  processes: Processes,
  commandLine: string,
  options?: RunOptions,
): Promise<ProcessResult> {
  return processes.run("/bin/sh", ["-c", commandLine], options);
}

const NOT_RUN: ProcessResult = {
  exitCode: null,
  signal: null,
  stdout: "",
  stderr: "",
  timedOut: false,
  startFailure: null,
};

/**
 * The same for a command that may leave a server behind. The server inherits the command's output: a pipe would stay
 * open, and we would wait, for as long as it runs. Both outputs are given as `stderr`, in the order written.
 */
export async function runServerShellCommand(
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
