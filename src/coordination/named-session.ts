import { NO_MESSAGE } from "../model/beacon.js";
import type { Conninfo } from "../model/conninfo.js";
import type { Database, Databases } from "../postgres/database.js";
import { systemClock } from "../system/clock.js";
import { createStandingSession, type SessionAnswer } from "./standing-session.js";

/** A session whose application name carries a message to whoever looks at that server. */
export interface NamedSession {
  /** Puts the message there, opening the session again if need be. */
  show(name: string, timeoutMs: number): Promise<SessionAnswer<void>>;
  /** Takes the message away and keeps the session open. Never rejects for what a server can cause. */
  rest(timeoutMs: number): Promise<void>;
  /** The message is gone with the session. */
  close(): Promise<void>;
}

/**
 * The other end of a session whose host died would stay for hours; so the server is told to notice within seconds,
 * and, from 14 on, to end a session that shows nothing new for `idleTimeoutMs`. A bare `SET` cannot be parameterised.
 */
const PREPARE = `SELECT pg_catalog.set_config('tcp_keepalives_idle', '1', false),
                        pg_catalog.set_config('tcp_keepalives_interval', '1', false),
                        pg_catalog.set_config('tcp_keepalives_count', '3', false),
                        pg_catalog.set_config('tcp_user_timeout', '5000', false)`;

const IDLE_TIMEOUT_SINCE = 140_000;
/** A session without a message is heard of so often within its idle timeout. */
const RESTS_PER_TIMEOUT = 3;

export function createNamedSession(
  databases: Databases,
  conninfo: Conninfo,
  { idleTimeoutMs }: { readonly idleTimeoutMs: number },
): NamedSession {
  const prepare = async (database: Database): Promise<void> => {
    await database.query(PREPARE);
    if (database.serverVersion >= IDLE_TIMEOUT_SINCE)
      await database.query("SELECT pg_catalog.set_config('idle_session_timeout', $1, false)", [
        String(Math.ceil(idleTimeoutMs)),
      ]);
  };
  const session = createStandingSession({ databases, conninfo, prepare });
  let resting: { readonly lost: AbortSignal | null; readonly since: number } | null = null;
  const isResting = (): boolean =>
    resting?.lost?.aborted === false &&
    resting.lost === session.lost() &&
    systemClock.monotonic() - resting.since < idleTimeoutMs / RESTS_PER_TIMEOUT;
  let turns = 0;
  const show = (name: string, timeoutMs: number): Promise<SessionAnswer<void>> => {
    resting = null;
    turns += 1;
    return session.use(timeoutMs, async (database) => {
      await database.query("SELECT pg_catalog.set_config('application_name', $1, false)", [name]);
    });
  };
  return {
    show,
    rest: async (timeoutMs) => {
      if (isResting()) return;
      const answer = show(NO_MESSAGE, timeoutMs);
      const turn = turns;
      const isLast = (await answer).kind === "answered" && turn === turns;
      if (isLast) resting = { lost: session.lost(), since: systemClock.monotonic() };
    },
    close: () => session.close(),
  };
}
