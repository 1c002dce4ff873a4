import type { ProcessResult, Processes, RunOptions } from "./processes.js";

/**
 * Runs a command line that the user configured (`service_*_command`, `event_notification_command` …) through
 * `/bin/sh`, as repmgr does. The only place where configured text meets a shell.
 */
export function runShellCommand(
  processes: Processes,
  commandLine: string,
  options?: RunOptions,
): Promise<ProcessResult> {
  return processes.run("/bin/sh", ["-c", commandLine], options);
}
