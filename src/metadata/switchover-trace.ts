import { DatabaseError } from "../errors/database-error.js";
import { nodeId } from "../model/node-record.js";
import type { SwitchoverTrace } from "../model/switchover-trace.js";
import type { Database } from "../postgres/database.js";

/** Also the name of the event that stands in for it where the schema is the extension's, which has no settings. */
const NAME = "switchover_under_way";

/**
 * Leaves the trace on the primary, from where it reaches every standby before a shutdown ends: the switchover can be
 * found on the old primary, the candidate and the siblings alike. Throws DatabaseError.
 */
export async function storeSwitchoverTrace(primary: Database, trace: SwitchoverTrace): Promise<void> {
  const value = JSON.stringify(trace);
  try {
    await primary.query(
      `INSERT INTO repmgr.settings (name, value) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [NAME, value],
    );
  } catch (error) {
    if (!isMissingTable(error)) throw error;
    await primary.transaction(async () => {
      await primary.query("DELETE FROM repmgr.events WHERE event = $1", [NAME]);
      await primary.query("INSERT INTO repmgr.events (node_id, event, details) VALUES ($1, $2, $3)", [
        trace.candidate,
        NAME,
        value,
      ]);
    });
  }
}

/** Null when no switchover is under way. Throws DatabaseError. */
export async function readSwitchoverTrace(database: Database): Promise<SwitchoverTrace | null> {
  const select = async (text: string): Promise<SwitchoverTrace | null> => {
    const [row] = await database.query<{ value: string }>(text, [NAME]);
    return row === undefined ? null : parseTrace(row.value);
  };
  try {
    return await select("SELECT value FROM repmgr.settings WHERE name = $1");
  } catch (error) {
    if (!isMissingTable(error)) throw error;
    return select("SELECT details AS value FROM repmgr.events WHERE event = $1");
  }
}

/** Throws DatabaseError, also on a standby. */
export async function removeSwitchoverTrace(primary: Database): Promise<void> {
  try {
    await primary.query("DELETE FROM repmgr.settings WHERE name = $1", [NAME]);
  } catch (error) {
    if (!isMissingTable(error)) throw error;
    await primary.query("DELETE FROM repmgr.events WHERE event = $1", [NAME]);
  }
}

const isMissingTable = (error: unknown): boolean =>
  error instanceof DatabaseError && error.meaning === "undefined-object";

function parseTrace(text: string): SwitchoverTrace | null {
  try {
    const { candidate, formerPrimary, paused, configFiles, command } = JSON.parse(text) as Record<
      string,
      unknown
    >;
    if (typeof candidate !== "number" || typeof formerPrimary !== "number") return null;
    const isNumber = (value: unknown): value is number => typeof value === "number";
    return {
      candidate: nodeId(candidate),
      formerPrimary: nodeId(formerPrimary),
      paused: Array.isArray(paused) ? paused.filter(isNumber).map(nodeId) : [],
      configFiles: Array.isArray(configFiles)
        ? configFiles.filter((name): name is string => typeof name === "string")
        : [],
      command: typeof command === "string" ? command : "",
    };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
