import { isatty } from "node:tty";
import { exitCodes } from "../errors/exit-codes.js";
import { describeFailure } from "../system/directories.js";

/** Emitted on standard output with the reason: Node's own event may come after the program has ended. */
const WRITE_FAILED = "write-failed";

type StreamName = "stdout" | "stderr";

/** Streams that were used: Node makes them when they are first touched, which takes it a millisecond each. */
const opened = new Map<StreamName, NodeJS.WriteStream>();

/**
 * Without a listener an unread pipe (`cluster show | head -1`) would end the program with a stack trace. Output that
 * cannot be written for another reason, as on a full disk, is an error at the end of the program, whatever else it did.
 */
function open(name: StreamName): NodeJS.WriteStream {
  const known = opened.get(name);
  if (known !== undefined) return known;
  const stream = process[name];
  opened.set(name, stream);
  stream.on("error", () => undefined);
  if (name === "stdout") stream.once(WRITE_FAILED, reportLostOutput);
  return stream;
}

function reportLostOutput(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") return;
  writeStderr(`ERROR: unable to write to standard output\nDETAIL: ${describeFailure(error)}\n`);
  process.once("exit", () => {
    if (process.exitCode === exitCodes.success) process.exitCode = exitCodes.systemFailure;
  });
}

/** Standard output and standard error: the only place that writes to them. */
export const writeStdout = (text: string): void => {
  const stream = open("stdout");
  stream.write(text, (error) => {
    if (error) stream.emit(WRITE_FAILED, error);
  });
};

export const writeStderr = (text: string): void => {
  open("stderr").write(text);
};

/** Also of a stream that is not open yet. */
export const isTerminal = (name: StreamName): boolean => isatty(name === "stdout" ? 1 : 2);

const drained = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write("", () => resolve());
  });

/** Resolves when all that was written has left the process; a reader that is gone counts as having it. */
export async function flushStandardStreams(): Promise<void> {
  await Promise.all([...opened.values()].map(drained));
}
