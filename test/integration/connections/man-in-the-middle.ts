import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { CertificateFiles } from "../../harness/certificates.js";

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** Listens with a certificate of its own and passes the decrypted conversation on to the true server. */
export async function listenInTheMiddle(targetPort: number, files: CertificateFiles): Promise<Server> {
  const own = { cert: await readFile(files.certificate), key: await readFile(files.key) };
  const relay = async (client: Socket): Promise<void> => {
    const target = connect(targetPort, "127.0.0.1");
    target.write(SSL_REQUEST);
    await Promise.all([once(client, "data"), once(target, "data")]);
    const encryptedTarget = connectTls({ socket: target, rejectUnauthorized: false });
    const encryptedClient = new TLSSocket(client, { ...own, isServer: true });
    for (const socket of [encryptedClient, encryptedTarget, client, target]) socket.on("error", () => {});
    client.write("S");
    encryptedClient.pipe(encryptedTarget).pipe(encryptedClient);
  };
  const server = createServer((client) => void relay(client)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port;
