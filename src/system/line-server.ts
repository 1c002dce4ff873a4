import { createServer, type Server, type Socket } from "node:net";

/** A TCP port that says one line to whoever connects. */
export interface LineServer {
  close(): Promise<void>;
}

/**
 * Answers each connection with what `answer` gives and closes it; null: nobody is let in. The port is closed meanwhile,
 * so that a connection is refused as if nothing were there. Throws the system's error when the port is taken.
 */
export async function openLineServer(
  port: number,
  { answer, checkEveryMs }: { readonly answer: () => string | null; readonly checkEveryMs: number },
): Promise<LineServer> {
  let server: Server | null = null;
  const serve = (socket: Socket): void => {
    socket.on("error", () => undefined);
    const line = answer();
    if (line === null) socket.destroy();
    else socket.end(`${line}\n`);
  };
  const open = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const opening = createServer(serve);
      opening.once("error", reject);
      opening.listen(port, () => {
        server = opening;
        resolve();
      });
    });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      const closing = server;
      server = null;
      if (closing === null) resolve();
      else closing.close(() => resolve());
    });
  await open();
  const adjust = async (): Promise<void> => {
    if (answer() === null) await close();
    else if (server === null) await open().catch(() => undefined);
  };
  const timer = setInterval(() => void adjust(), checkEveryMs);
  return {
    close: async () => {
      clearInterval(timer);
      await close();
    },
  };
}
