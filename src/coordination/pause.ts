import { renderPauseRequest } from "../model/beacon.js";
import { parseConninfo } from "../model/conninfo.js";
import type { NodeRecord } from "../model/node-record.js";
import { DatabaseError } from "../errors/database-error.js";
import type { Database, Databases } from "../postgres/database.js";
import type { Clock } from "../system/clock.js";
import { lookAtServer } from "./look-at-server.js";
import { createNamedSession } from "./named-session.js";
import { createStandingSession } from "./standing-session.js";

/** How the wish to pause or unpause the daemon of one node ended. */
export type PauseOutcome =
  /** By a running daemon, which has it on disk; or by the reference's library. */
  | { readonly kind: "done" }
  | { readonly kind: "no-daemon" }
  /** The server, by which a daemon is asked, does not answer. */
  | { readonly kind: "unreachable"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

interface PauseEffects {
  readonly databases: Databases;
  readonly clock: Clock;
  readonly interrupted: AbortSignal;
}

const ANSWER_WITHIN_MS = 5000;
const POLL_EVERY_MS = 100;
const QUERY_TIMEOUT_MS = 2000;

/**
 * Asks the daemon of a node in a session on its server, and waits for its beacon to say so. It needs no right to
 * write anything, so it works on standbys and while no primary exists.
 */
export async function askToPause(
  record: Pick<NodeRecord, "conninfo">,
  isPaused: boolean,
  { databases, clock, interrupted }: PauseEffects,
): Promise<PauseOutcome> {
  const conninfo = parseConninfo(record.conninfo);
  const session = createStandingSession({ databases, conninfo });
  const mailbox = createNamedSession(databases, conninfo, { idleTimeoutMs: 4 * ANSWER_WITHIN_MS });
  const readBeacon = (): ReturnType<typeof session.use<{ readonly isPaused: boolean } | null>> =>
    session.use(QUERY_TIMEOUT_MS, async (database) => (await lookAtServer(database)).beacon);
  try {
    const first = await readBeacon();
    if (first.kind !== "answered") return { kind: "unreachable", reason: first.reason };
    const byLibrary = await session.use(QUERY_TIMEOUT_MS, (database) => pauseByLibrary(database, isPaused));
    if (byLibrary.kind === "answered" && byLibrary.value && first.value === null) return { kind: "done" };
    if (first.value === null) return { kind: "no-daemon" };
    const sent = await mailbox.show(renderPauseRequest({ isPaused }), QUERY_TIMEOUT_MS);
    if (sent.kind !== "answered") return { kind: "failed", reason: sent.reason };
    const deadline = clock.monotonic() + ANSWER_WITHIN_MS;
    while (clock.monotonic() < deadline) {
      const seen = await readBeacon();
      if (seen.kind === "answered" && seen.value?.isPaused === isPaused) return { kind: "done" };
      await clock.sleep(POLL_EVERY_MS, interrupted);
    }
    return { kind: "failed", reason: `its daemon did not answer within ${ANSWER_WITHIN_MS / 1000} s` };
  } finally {
    await Promise.all([session.close(), mailbox.close()]);
  }
}

/** Where the reference's library is loaded its daemon reads the flag there. False where it is not. */
async function pauseByLibrary(database: Database, isPaused: boolean): Promise<boolean> {
  try {
    const [row] = await database.query<{ is_loaded: boolean }>(
      "SELECT repmgr.get_local_node_id() IS NOT NULL AND repmgr.get_repmgrd_pid() IS NOT NULL AS is_loaded",
    );
    if (row?.is_loaded !== true) return false;
    await database.query("SELECT repmgr.repmgrd_pause($1)", [isPaused]);
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.meaning === "undefined-object") return false;
    throw error;
  }
}
