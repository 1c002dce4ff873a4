import { exitCodes } from "../errors/exit-codes.js";
import { describeFailure } from "../system/directories.js";

/** Standard output and standard error: the only place that writes to them. */
export const writeStdout = (text: string): void => {
  process.stdout.write(text);
};

export const writeStderr = (text: string): void => {
  process.stderr.write(text);
};

const drained = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve();
    else stream.write("", () => resolve());
  });

/** Resolves when all that was written has left the process; a reader that is gone counts as having it. */
export async function flushStandardStreams(): Promise<void> {
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
}

/**
 * Without this an unread pipe (`cluster show | head -1`) would end the program with a stack trace. Output that cannot be
 * written for another reason, as on a full disk, is an error at the end of the program, whatever else it did.
 */
export function ignoreClosedPipes(): void {
  // Nothing is left to say it with.
  process.stderr.on("error", () => undefined);
  let isReported = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || isReported) return;
    isReported = true;
    writeStderr(`ERROR: unable to write to standard output\nDETAIL: ${describeFailure(error)}\n`);
    process.once("exit", () => {
      process.exitCode = process.exitCode === 0 ? exitCodes.systemFailure : process.exitCode;
    });
  });
}
