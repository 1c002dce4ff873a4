import { exitCodes } from "../errors/exit-codes.js";
import { describeFailure } from "../system/directories.js";

/** Emitted on standard output with the reason: Node's own event may come after the program has ended. */
const WRITE_FAILED = "write-failed";

/** Standard output and standard error: the only place that writes to them. */
export const writeStdout = (text: string): void => {
  process.stdout.write(text, (error) => {
    if (error) process.stdout.emit(WRITE_FAILED, error);
  });
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
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  process.stdout.once(WRITE_FAILED, (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    writeStderr(`ERROR: unable to write to standard output\nDETAIL: ${describeFailure(error)}\n`);
    process.once("exit", () => {
      if (process.exitCode === exitCodes.success) process.exitCode = exitCodes.systemFailure;
    });
  });
}
