import { flushStandardStreams } from "../output/standard-streams.js";

/** Runs the daemon (`argv` as in process.argv) and resolves to the exit code, in the background as soon as it stands. */
export async function main(argv: readonly string[]): Promise<number> {
  const { runDaemonCommandLine } = await import("./run-daemon-command-line.js");
  const exitCode = await runDaemonCommandLine(argv);
  await flushStandardStreams();
  return exitCode;
}
