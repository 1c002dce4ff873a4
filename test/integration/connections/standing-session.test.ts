import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { lookAtServer } from "../../../src/coordination/look-at-server.js";
import { createNamedSession } from "../../../src/coordination/named-session.js";
import { createStandingSession, type StandingSession } from "../../../src/coordination/standing-session.js";
import { NO_MESSAGE } from "../../../src/model/beacon.js";
import { parseConninfo } from "../../../src/model/conninfo.js";
import { isInRecovery } from "../../../src/postgres/server-state.js";
import { createPrimary, type TestServer } from "../../harness/postgres-server.js";
import { runProgram, writeRepmgrConf } from "../../harness/program.js";
import { waitUntil } from "../../harness/wait-until.js";
import { databasesOf } from "./attempts.js";

let server: TestServer;

beforeAll(async () => {
  server = await createPrimary();
});

const open = (to = server): StandingSession =>
  createStandingSession({ databases: databasesOf(), conninfo: parseConninfo(to.conninfo) });

async function backendOf(session: StandingSession): Promise<number> {
  const answer = await session.use(5000, ({ backendPid }) => Promise.resolve(backendPid));
  if (answer.kind !== "answered" || answer.value === null) throw new Error("the session has no backend");
  return answer.value;
}

describe("a standing session that insists", () => {
  it("reaches a server that refused its first attempts, within the time of one use", async () => {
    const stopped = await createPrimary();
    await stopped.stop();
    const session = open(stopped);
    const [hasty, patient] = [
      await session.use(15_000, isInRecovery),
      session.use(15_000, isInRecovery, { insists: true }),
    ];
    expect(hasty.kind).toBe("unreachable");
    await sleep(300);
    await stopped.start();
    expect(await patient).toEqual({ kind: "answered", value: false });
    await session.close();
  });
});

describe("a sign of life", () => {
  it("is given by the open session, and not asked for where none is open", async () => {
    const session = open();
    expect(await session.givesSign(5000)).toBe(true);
    expect(session.lost()).toBeNull();
    const backend = await backendOf(session);
    expect(await session.givesSign(5000)).toBe(true);
    expect(await backendOf(session)).toBe(backend);
    await session.close();
  });

  it("fails in time while the server is frozen, and the session is the same afterwards", async () => {
    const session = open();
    const backend = await backendOf(session);
    process.kill(backend, "SIGSTOP");
    try {
      const askedAt = performance.now();
      expect(await session.givesSign(200)).toBe(false);
      expect(performance.now() - askedAt).toBeGreaterThan(150);
    } finally {
      process.kill(backend, "SIGCONT");
    }
    expect(await backendOf(session)).toBe(backend);
    expect(await session.givesSign(5000)).toBe(true);
    await session.close();
  });

  it("fails at once where the server has ended the session", async () => {
    const session = open();
    const backend = await backendOf(session);
    const lost = session.lost();
    if (lost === null) throw new Error("no session is open");
    const isLost = once(lost, "abort");
    await server.sql("SELECT pg_terminate_backend($1)", [backend]);
    await isLost;
    expect(await session.givesSign(60_000)).toBe(false);
    expect(await backendOf(session)).not.toBe(backend);
    await session.close();
  });
});

describe("a named session at rest", () => {
  const named = (idleTimeoutMs: number) =>
    createNamedSession(databasesOf(), parseConninfo(server.conninfo), { idleTimeoutMs });
  const find = async (name: string): Promise<{ pid: number; state_change: Date } | undefined> =>
    (
      await server.sql<{ pid: number; state_change: Date }>(
        "SELECT pid, state_change FROM pg_stat_activity WHERE application_name = $1",
        [name],
      )
    )[0];

  it("says nothing again while the server would keep it, and takes a later message away", async () => {
    const session = named(60_000);
    await session.rest(5000);
    const first = await find(NO_MESSAGE);
    await session.rest(5000);
    expect(await find(NO_MESSAGE)).toEqual(first);
    await session.show("a message", 5000);
    expect((await find("a message"))?.pid).toBe(first?.pid);
    await session.rest(5000);
    expect(await find("a message")).toBeUndefined();
    expect((await find(NO_MESSAGE))?.pid).toBe(first?.pid);
    await session.close();
  });

  it("leaves no message that was shown while it came to rest", async () => {
    const session = named(60_000);
    await Promise.all([session.rest(5000), session.show("a message", 5000)]);
    expect(await find("a message")).toBeDefined();
    await session.rest(5000);
    expect(await find("a message")).toBeUndefined();
    await session.close();
  });

  it("is opened again after it was ended, and outlives its idle timeout", async () => {
    const session = named(900);
    await session.rest(5000);
    const first = await find(NO_MESSAGE);
    await server.sql("SELECT pg_terminate_backend($1)", [first?.pid]);
    await waitUntil("the session is gone", async () => (await find(NO_MESSAGE)) === undefined);
    let second: number | undefined;
    for (let turn = 0; turn < 8; turn += 1) {
      await session.rest(5000);
      const { pid } = (await find(NO_MESSAGE)) ?? {};
      expect(pid).toBe(second ?? pid);
      second = pid;
      await sleep(200);
    }
    expect(second).toBeDefined();
    expect(second).not.toBe(first?.pid);
    await session.close();
  });
});

it("a look at a server whose table of settings has gone since the look before tells everything else", async () => {
  const primary = await createPrimary({ name: "node1" });
  const conf = await writeRepmgrConf(primary, { node_id: 1, node_name: "node1" });
  const { exitCode, output } = await runProgram(["-f", conf, "primary", "register"]);
  expect(exitCode, output).toBe(0);
  const session = open(primary);
  const look = () => session.use(5000, (database) => lookAtServer(database, 1));
  const whole = { kind: "answered", value: { isRecordedPrimary: true, membershipVersion: 1 } };
  expect([await look(), await look()]).toMatchObject([whole, whole]);
  await primary.sql("ALTER TABLE repmgr.settings RENAME TO settings_away");
  const without = { kind: "answered", value: { isRecordedPrimary: true, membershipVersion: 0 } };
  expect([await look(), await look()]).toMatchObject([without, without]);
  await primary.sql("ALTER TABLE repmgr.settings_away RENAME TO settings");
  expect([await look(), await look()]).toMatchObject([whole, whole]);
  await session.close();
});
