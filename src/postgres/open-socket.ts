import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { Conninfo } from "../model/conninfo.js";
import { AttemptFailure, describeSystemError } from "./attempt-failure.js";
import { connectSocket } from "./connect-socket.js";
import type { ServerAddress } from "./server-addresses.js";
import { startTls } from "./tls.js";

/** Whether to ask for TLS; `if-offered` goes on without where the server has none. */
export type Encryption = "none" | "if-offered" | "required";

export interface SocketRequest {
  readonly address: ServerAddress;
  readonly encryption: Encryption;
  /** Read only once the server has agreed to TLS: a broken certificate is no obstacle where none is needed. */
  readonly readTlsOptions: () => Promise<ConnectionOptions>;
  readonly conninfo: Conninfo;
  /** Ends whatever is under way. */
  readonly deadline: AbortSignal;
  /** Null: one socket, whatever becomes of its first packet. */
  readonly anotherSocketEveryMs: number | null;
}

export interface OpenedSocket {
  readonly socket: Socket;
  readonly encrypted: boolean;
}

/** The SSLRequest message of PostgreSQL's protocol. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const CODE_OF_ERROR_RESPONSE = "E";

/** Connects and encrypts as asked. Throws AttemptFailure. */
export async function openSocket(request: SocketRequest): Promise<OpenedSocket> {
  const { address, encryption, conninfo } = request;
  const socket = await connectSocket(request);
  try {
    if (encryption === "none") return { socket, encrypted: false };
    if (conninfo.get("sslnegotiation") !== "direct" && !(await isTlsOffered(socket, encryption))) {
      return { socket, encrypted: false };
    }
    const options = await request.readTlsOptions();
    return {
      socket: await startTls(socket, { options, hostName: address.host.name, conninfo }),
      encrypted: true,
    };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function isTlsOffered(socket: Socket, encryption: Encryption): Promise<boolean> {
  socket.write(SSL_REQUEST);
  const answer = await readAnswer(socket);
  const code = answer.subarray(0, 1).toString("latin1");
  if (code === "S" && answer.length > 1) {
    throw new AttemptFailure("protocol", "received unencrypted data after SSL response");
  }
  if (code === "S") return true;
  if (code === "N") {
    if (encryption === "if-offered") return false;
    throw new AttemptFailure("tls", "server does not support SSL, but SSL was required");
  }
  if (code === CODE_OF_ERROR_RESPONSE) {
    // Nobody is authenticated yet, so the text of this error may come from anywhere and is not shown (CVE-2024-10977).
    throw new AttemptFailure("protocol", "server sent an error response during SSL exchange");
  }
  throw new AttemptFailure("protocol", `received invalid response to SSL negotiation: ${code}`);
}

function readAnswer(socket: Socket): Promise<Buffer> {
  return new Promise((fulfil, reject) => {
    const settle = (): void => {
      socket.off("data", read).off("error", fail).off("close", end);
    };
    const read = (data: Buffer): void => {
      settle();
      fulfil(data);
    };
    const fail = (error: Error): void => {
      settle();
      reject(
        new AttemptFailure("protocol", `could not receive data from server: ${describeSystemError(error)}`),
      );
    };
    const end = (): void => {
      settle();
      reject(serverHungUp());
    };
    socket.on("data", read).on("error", fail).on("close", end);
  });
}

/** libpq's words for a server that ends the conversation without a reason. */
export function serverHungUp(): AttemptFailure {
  return new AttemptFailure(
    "protocol",
    "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while processing the request.",
  );
}
