import { DatabaseError } from "../errors/database-error.js";
import { nodeId } from "../model/node-record.js";
import type { SwitchoverTrace } from "../model/switchover-trace.js";
import type { Database } from "../postgres/database.js";
import { ensureSettings } from "./cluster-record.js";

const NAME = "switchover_under_way";

/**
 * Leaves the trace on the primary, from where it reaches every standby before a shutdown ends: the switchover can be
 * found on the old primary, the candidate and the siblings alike. Throws DatabaseError.
 */
export async function storeSwitchoverTrace(primary: Database, trace: SwitchoverTrace): Promise<void> {
  // The extension's schema gets the table at the promotion in any case; a trace elsewhere would not be found then.
  await ensureSettings(primary);
  await primary.query(
    `INSERT INTO repmgr.settings (name, value) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    [NAME, JSON.stringify(trace)],
  );
}

/** Null when no switchover is under way. Throws DatabaseError. */
export async function readSwitchoverTrace(database: Database): Promise<SwitchoverTrace | null> {
  try {
    const [row] = await database.query<{ value: string }>(
      "SELECT value FROM repmgr.settings WHERE name = $1",
      [NAME],
    );
    return row === undefined ? null : parseTrace(row.value);
  } catch (error) {
    if (!isMissingTable(error)) throw error;
    return null;
  }
}

/** Throws DatabaseError, also on a standby. */
export async function removeSwitchoverTrace(primary: Database): Promise<void> {
  try {
    await primary.query("DELETE FROM repmgr.settings WHERE name = $1", [NAME]);
  } catch (error) {
    if (!isMissingTable(error)) throw error;
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
