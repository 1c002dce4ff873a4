import type { Socket } from "node:net";

/**
 * A connected socket as pg wants its stream. pg connects it itself: it only says that it is, or that the server has hung
 * up meanwhile. What pg cannot read it throws out of the event; here it ends the connection instead of the process.
 */
export function asPgStream(socket: Socket): Socket {
  const listen = socket.on.bind(socket);
  return Object.assign(socket, {
    connect: () => {
      queueMicrotask(() => socket.emit(socket.destroyed ? "close" : "connect"));
      return socket;
    },
    on: (event: string, listener: (...values: unknown[]) => void) =>
      listen(event, event === "data" ? endOnThrow(socket, listener) : listener),
  });
}

const endOnThrow =
  (socket: Socket, read: (data: unknown) => void) =>
  (data: unknown): void => {
    try {
      read(data);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
