import type { DaemonFacts } from "../../../decide/switchover-facts.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { ConninfoError, parseConninfo } from "../../../model/conninfo.js";
import type { NodeRecord } from "../../../model/node-record.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import type { Database } from "../../../postgres/database.js";
import type { CommandContext } from "../../define-command.js";
import { pauseDaemon, unpauseRunningDaemon } from "../../pause-daemon.js";

type Asking = Pick<CommandContext, "databases">;

/** Which daemons run and which are paused; all nodes are asked at once. */
export function readDaemons(
  context: Asking,
  records: readonly NodeRecord[],
): Promise<readonly DaemonFacts[]> {
  return Promise.all(
    records.map(async (record): Promise<DaemonFacts> => {
      const answer = await ask(context, record, readState);
      return typeof answer === "string"
        ? { record, state: "unknown", reason: answer }
        : { record, state: answer.state };
    }),
  );
}

/** Null when the daemon of the node is paused, or unpaused, now, or when none runs; otherwise why it is not. */
export async function setDaemonPaused(
  context: CommandContext,
  record: NodeRecord,
  isPaused: boolean,
): Promise<string | null> {
  const outcome = isPaused
    ? await pauseDaemon(context, record, true)
    : await unpauseRunningDaemon(context, record);
  return outcome.kind === "done" || outcome.kind === "no-daemon" ? null : outcome.reason;
}

/** The work's result, or why there is none. */
async function ask<T extends object>(
  { databases }: Asking,
  { conninfo }: NodeRecord,
  work: (database: Database) => Promise<T>,
): Promise<T | string> {
  let database: Database | null = null;
  try {
    database = await databases.connect(parseConninfo(conninfo));
    return await work(database);
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof DatabaseError || error instanceof ConninfoError)
      return error.message;
    throw error;
  } finally {
    await database?.close();
  }
}

async function readState(database: Database): Promise<{ readonly state: "running" | "paused" | "none" }> {
  try {
    const [row] = await database.query<{ running: boolean | null; paused: boolean | null }>(
      "SELECT repmgr.repmgrd_is_running() AS running, repmgr.repmgrd_is_paused() AS paused",
    );
    if (row?.running !== true) return { state: "none" };
    return { state: row.paused === true ? "paused" : "running" };
  } catch (error) {
    if (error instanceof DatabaseError && error.meaning === "undefined-object") return { state: "none" };
    throw error;
  }
}
