import type { OwnSlot } from "../decide/clone.js";
import { DatabaseError } from "../errors/database-error.js";
import type { Conninfo } from "../model/conninfo.js";
import { ConnectionError } from "../postgres/connection-error.js";
import type { Database } from "../postgres/database.js";
import {
  createReplicationSlot,
  dropReplicationSlot,
  readReplicationSlot,
  type ReplicationSlot,
  type SlotSession,
} from "../postgres/replication-slots.js";
import type { Uses } from "../context.js";

/** A walsender notices a broken connection within moments; a server that is stopped needs no longer either. */
const RELEASE_TIMEOUT_MS = 10_000;
const RELEASE_POLL_MS = 100;

type SlotContext = Uses<"databases" | "clock" | "reporter">;

/** Makes the slot on the server, or takes the one that lies there unused; true when it was made. Throws DatabaseError. */
export async function createOwnSlot(context: SlotContext, server: Conninfo, slot: OwnSlot): Promise<boolean> {
  return withSession(context, server, async (database) => {
    const existing = await awaitRelease(context, database, slot.name);
    if (existing !== null) {
      context.reporter.info(`replication slot "${slot.name}" already exists and is used again`);
      return false;
    }
    await withSlotSession(context, { server, slot, database }, (session) =>
      createReplicationSlot(session, slot.name),
    );
    return true;
  });
}

/** Drops the slot once nobody streams from it. What goes wrong is a WARNING with the statement that is left to do. */
export async function dropOwnSlot(context: SlotContext, server: Conninfo, slot: OwnSlot): Promise<void> {
  const { reporter } = context;
  try {
    await withSession(context, server, async (database) => {
      const found = await readReplicationSlot(database, slot.name);
      if (found?.isPhysical === false) {
        reporter.warning(`replication slot "${slot.name}" is left alone: it is not a physical one`);
        return;
      }
      if ((await awaitRelease(context, database, slot.name)) === null) return;
      await withSlotSession(context, { server, slot, database }, (session) =>
        dropReplicationSlot(session, slot.name),
      );
      if (slot.nodeId === undefined) reporter.info(`replication slot "${slot.name}" dropped`);
      else reporter.notice(`replication slot "${slot.name}" deleted on node ${slot.nodeId}`);
    });
  } catch (error) {
    if (!(error instanceof DatabaseError || error instanceof ConnectionError)) throw error;
    reporter.warning(`unable to drop replication slot "${slot.name}"`, {
      detail: error.message,
      hint: `it keeps WAL on host "${server.get("host") ?? ""}" until it is dropped there: SELECT pg_drop_replication_slot('${slot.name}')`,
    });
  }
}

async function awaitRelease(
  { clock }: SlotContext,
  database: Database,
  name: string,
): Promise<ReplicationSlot | null> {
  const deadline = clock.monotonic() + RELEASE_TIMEOUT_MS;
  for (;;) {
    const slot = await readReplicationSlot(database, name);
    if (slot === null || !slot.isActive) return slot;
    if (clock.monotonic() > deadline) {
      throw new DatabaseError({ message: `replication slot "${name}" is still active`, sqlState: "55006" });
    }
    await clock.sleep(RELEASE_POLL_MS);
  }
}

interface SlotPlace {
  readonly server: Conninfo;
  readonly slot: OwnSlot;
  readonly database: Database;
}

async function withSlotSession<T>(
  context: SlotContext,
  { server, slot: { creator }, database }: SlotPlace,
  work: (session: SlotSession) => Promise<T>,
): Promise<T> {
  const { method, user } = creator;
  if (user === null) return work({ method, database });
  const conninfo = new Map([...server, ["user", user]]);
  // The password in a connection string is that of its own user.
  conninfo.delete("password");
  if (method === "protocol") conninfo.set("dbname", "replication");
  const session = await context.databases.connect(conninfo, { replication: method === "protocol" });
  try {
    return await work({ method, database: session });
  } finally {
    await session.close();
  }
}

async function withSession<T>(
  { databases }: SlotContext,
  server: Conninfo,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = await databases.connect(server);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
