import type { Socket } from "node:net";
import type { Conninfo } from "../model/conninfo.js";
import { startTimer } from "../system/clock.js";
import { AttemptFailure, describeSystemError } from "./attempt-failure.js";
import { loadClient } from "./load-pg.js";
import type { ServerAddress } from "./server-addresses.js";

interface ConnectRequest {
  readonly address: ServerAddress;
  readonly conninfo: Conninfo;
  readonly deadline: AbortSignal;
  readonly anotherSocketEveryMs: number | null;
}

/** The first socket that the server takes; the others are closed. Throws AttemptFailure, the first one that comes. */
export async function connectSocket(request: ConnectRequest): Promise<Socket> {
  const { address, conninfo, deadline, anotherSocketEveryMs } = request;
  const net = await import("node:net");
  deadline.throwIfAborted();
  const sockets: Socket[] = [];
  const open = (): Promise<Socket> => {
    const path = address.kind === "socket" ? address.path.replace(/^@/, "\0") : "";
    const socket = address.kind === "tcp" ? net.connect(address.port, address.ip) : net.connect(path);
    sockets.push(socket);
    return awaitConnection(socket, address);
  };
  const closeAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  deadline.addEventListener("abort", closeAll, { once: true });
  const first = open();
  // It is needed next, and loads while the server answers.
  void loadClient();
  try {
    const socket = await (address.kind === "socket" || anotherSocketEveryMs === null
      ? first
      : raceOthers(first, open, anotherSocketEveryMs));
    for (const other of sockets) if (other !== socket) other.destroy();
    socket.setNoDelay(true);
    if (conninfo.get("keepalives") !== "0") {
      socket.setKeepAlive(true, Number(conninfo.get("keepalives_idle") ?? "0") * 1000);
    }
    return socket;
  } catch (error) {
    closeAll();
    throw error;
  }
}

/** Settles with the first of all of them; from then on no other begins. */
function raceOthers(first: Promise<Socket>, open: () => Promise<Socket>, everyMs: number): Promise<Socket> {
  return new Promise((fulfil, reject) => {
    let stopTimer = (): void => {};
    const decide =
      <T>(settle: (outcome: T) => void) =>
      (outcome: T): void => {
        stopTimer();
        settle(outcome);
      };
    const enter = (attempt: Promise<Socket>): void => {
      attempt.then(decide(fulfil), decide(reject));
      stopTimer = startTimer(everyMs, () => enter(open()));
    };
    enter(first);
  });
}

function awaitConnection(socket: Socket, address: ServerAddress): Promise<Socket> {
  return new Promise((fulfil, reject) => {
    const fail = (error: Error): void => reject(describeConnectFailure(error, address));
    socket.once("error", fail);
    socket.once("close", () => reject(new AttemptFailure("timeout", "timeout expired")));
    socket.once("connect", () => {
      socket.off("error", fail);
      // Later failures are seen by whoever reads; an unheard "error" event would end the process.
      socket.on("error", () => {});
      fulfil(socket);
    });
  });
}

function describeConnectFailure(error: NodeJS.ErrnoException, address: ServerAddress): AttemptFailure {
  const reason = describeSystemError(error);
  if (address.kind === "socket") {
    const kind = error.code === "ENOENT" ? "no-such-socket" : "refused";
    return new AttemptFailure(
      kind,
      `${reason}\n\tIs the server running locally and accepting connections on that socket?`,
    );
  }
  const kind =
    error.code === "ECONNREFUSED" ? "refused" : error.code === "ETIMEDOUT" ? "timeout" : "unreachable";
  return new AttemptFailure(
    kind,
    `${reason}\n\tIs the server running on that host and accepting TCP/IP connections?`,
  );
}
