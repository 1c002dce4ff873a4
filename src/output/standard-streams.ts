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

/** Without this an unread pipe (`cluster show | head -1`) would end the program with a stack trace. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}
