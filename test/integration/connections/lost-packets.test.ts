import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { connectSocket } from "../../../src/postgres/connect-socket.js";

const SERVER = `
  const server = require("node:net").createServer((socket) => socket.on("error", () => {}));
  server.listen(0, "127.0.0.1", 1, () => console.log(server.address().port));`;

const started: ChildProcess[] = [];
const opened: Socket[] = [];

afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** Its kernel drops the first packet of each new connection until `resume`: nobody takes those that wait already. */
async function startDeafServer(): Promise<{ readonly port: number; readonly resume: () => void }> {
  const child = spawn(process.execPath, ["-e", SERVER], { stdio: ["ignore", "pipe", "ignore"] });
  started.push(child);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  child.kill("SIGSTOP");
  for (let isTaken = true; isTaken;) {
    const socket = connectTcp(port, "127.0.0.1").on("error", () => {});
    opened.push(socket);
    isTaken = await Promise.race([once(socket, "connect").then(() => true), sleep(200).then(() => false)]);
  }
  return { port, resume: () => child.kill("SIGCONT") };
}

describe("connectSocket to a server whose kernel dropped the first packet", () => {
  it.each([
    { anotherSocketEveryMs: 100, atLeastMs: 0, atMostMs: 500 },
    { anotherSocketEveryMs: null, atLeastMs: 500, atMostMs: 3000 },
  ])("is there soon after the server is: $anotherSocketEveryMs", async (wanted) => {
    const { port, resume } = await startDeafServer();
    const host = { name: "127.0.0.1", addressGiven: "", port };
    const connecting = connectSocket({
      address: { kind: "tcp", host, ip: "127.0.0.1", port },
      conninfo: new Map(),
      deadline: AbortSignal.timeout(10_000),
      anotherSocketEveryMs: wanted.anotherSocketEveryMs,
    });
    await sleep(250);
    const resumedAt = performance.now();
    resume();
    opened.push(await connecting);
    const tookMs = performance.now() - resumedAt;
    expect(tookMs).toBeGreaterThanOrEqual(wanted.atLeastMs);
    expect(tookMs).toBeLessThanOrEqual(wanted.atMostMs);
  });

  it("closes all of its sockets at the deadline", async () => {
    const { port } = await startDeafServer();
    const before = process.getActiveResourcesInfo().filter((kind) => kind.includes("TCP")).length;
    const host = { name: "127.0.0.1", addressGiven: "", port };
    const attempt = connectSocket({
      address: { kind: "tcp", host, ip: "127.0.0.1", port },
      conninfo: new Map(),
      deadline: AbortSignal.timeout(400),
      anotherSocketEveryMs: 50,
    });
    await expect(attempt).rejects.toThrow("timeout expired");
    await sleep(100);
    const after = process.getActiveResourcesInfo().filter((kind) => kind.includes("TCP")).length;
    expect(after).toBeLessThanOrEqual(before);
  });
});
