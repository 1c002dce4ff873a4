import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { adoptServer, freePort, newDirectory, type TestServer } from "./postgres-server.js";
import { runCommand } from "./run-command.js";

/** A running standby of `upstream` made with pg_basebackup, attached under the application name `name`. */
export async function createStandby(upstream: TestServer, name: string): Promise<TestServer> {
  const dataDirectory = join(await newDirectory(name), "data");
  await runCommand(join(upstream.binDirectory, "pg_basebackup"), [
    ...["-D", dataDirectory, "-d", `${upstream.conninfo} application_name=${name}`],
    ...["-c", "fast", "-X", "stream", "-R"],
  ]);
  const server = await adoptServer({ name, dataDirectory, port: await freePort() });
  await appendFile(join(dataDirectory, "postgresql.auto.conf"), "wal_retrieve_retry_interval = '200ms'\n");
  await server.start();
  return server;
}
