import { DatabaseError } from "../errors/database-error.js";
import type { Conninfo } from "../model/conninfo.js";
import { ConnectionError } from "../postgres/connection-error.js";
import type { Database, Databases } from "../postgres/database.js";
import { raceDeadline, startDeadline } from "../postgres/deadline.js";
import { startTimer, systemClock } from "../system/clock.js";
import { isServerThere } from "./server-there.js";

/**
 * What came of asking over a standing session: `unreachable` also for a server that is frozen or starting up,
 * `rejected` for one that runs but lets nobody in, `failed` for a statement that it refused.
 */
export type SessionAnswer<T> =
  | { readonly kind: "answered"; readonly value: T }
  | { readonly kind: "unreachable" | "rejected" | "failed"; readonly reason: string };

interface UseOptions {
  /** A server that cannot be reached is tried again and again for all of the time, so that a link that heals is noticed. */
  readonly insists?: boolean;
}

/** What a server answers without running anything. */
const NOTHING = "";

/** So long after a link has healed an attempt may be under way whose first packet was lost. */
const ANOTHER_SOCKET_EVERY_MS = 75;
/** A refusal is not free: it may go on for days where the other node is down. */
const AFTER_REFUSAL_MS = 250;

/** A session that is kept open, and opened again when it is needed after it broke. */
export interface StandingSession {
  /** Runs `work`; all of it, opening included, has to end within `timeoutMs`. Nothing that a server can cause is thrown. */
  use<T>(
    timeoutMs: number,
    work: (database: Database) => Promise<T>,
    options?: UseOptions,
  ): Promise<SessionAnswer<T>>;
  /**
   * Whether the open session answers within `timeoutMs`. It is not closed if it does not, and where none is open there is
   * nothing to say: true.
   */
  givesSign(timeoutMs: number): Promise<boolean>;
  /** The signal of the open session, aborted as soon as it breaks; null while none is open. */
  lost(): AbortSignal | null;
  close(): Promise<void>;
}

interface SessionRequest {
  readonly databases: Databases;
  readonly conninfo: Conninfo;
  /** Run on each new session before anything else. */
  readonly prepare?: (database: Database) => Promise<void>;
}

export function createStandingSession({ databases, conninfo, prepare }: SessionRequest): StandingSession {
  let current: Database | null = null;

  const connect = async (signal: AbortSignal, insists: boolean): Promise<Database> => {
    const database = insists
      ? await insistOnConnecting(databases, conninfo, signal)
      : await databases.connect(conninfo, { signal });
    try {
      await raceDeadline(prepare?.(database) ?? Promise.resolve(), signal);
    } catch (error) {
      void database.close();
      throw error;
    }
    current = database;
    return database;
  };
  const open = (signal: AbortSignal, insists: boolean): Promise<Database> => {
    if (current?.lost.aborted === false) return Promise.resolve(current);
    current = null;
    return connect(signal, insists);
  };
  const drop = (): void => {
    const database = current;
    current = null;
    void database?.close();
  };

  let last: Promise<unknown> = Promise.resolve();
  const run = async <T>(
    deadline: AbortSignal,
    work: (database: Database) => Promise<T>,
    { insists = false }: UseOptions,
  ): Promise<T> => {
    return work(await open(deadline, insists));
  };
  return {
    use: async (timeoutMs, work, options = {}) => {
      const deadline = startDeadline(timeoutMs);
      // One after the other: two that share a session would find themselves in each other's transactions.
      const turn = last.then(() =>
        deadline.signal.aborted ? lateFor(timeoutMs) : run(deadline.signal, work, options),
      );
      const answer = raceDeadline(turn, deadline.signal);
      last = answer.catch(() => undefined);
      try {
        return { kind: "answered", value: await answer };
      } catch (error) {
        if (deadline.signal.aborted) {
          drop();
          return { kind: "unreachable", reason: `no answer within ${timeoutMs} ms` };
        }
        return describeFailure(error, drop);
      } finally {
        deadline.release();
      }
    },
    givesSign: async (timeoutMs) => {
      const asked = last.then(async () => {
        const database = current;
        if (database !== null) await database.query(NOTHING);
      });
      last = asked.catch(() => undefined);
      return isDoneWithin(asked, timeoutMs);
    },
    lost: () => current?.lost ?? null,
    close: async () => {
      const database = current;
      current = null;
      await database?.close();
    },
  };
}

async function insistOnConnecting(
  databases: Databases,
  conninfo: Conninfo,
  signal: AbortSignal,
): Promise<Database> {
  for (;;) {
    try {
      return await databases.connect(conninfo, { signal, anotherSocketEveryMs: ANOTHER_SOCKET_EVERY_MS });
    } catch (error) {
      if (!(error instanceof ConnectionError) || !isOutOfReach(error)) throw error;
      await systemClock.sleep(AFTER_REFUSAL_MS, signal);
    }
  }
}

/** No server has said anything, not even that it is starting up. */
const isOutOfReach = ({ attempts }: ConnectionError): boolean =>
  attempts.every(({ kind }) => kind === "refused" || kind === "unreachable" || kind === "timeout");

/** A failure is no end. One timer and no signal: a daemon asks all day long. */
const isDoneWithin = (work: Promise<void>, timeoutMs: number): Promise<boolean> =>
  new Promise((resolve) => {
    const stopTimer = startTimer(timeoutMs, () => resolve(false));
    const settle = (isDone: boolean) => (): void => {
      stopTimer();
      resolve(isDone);
    };
    work.then(settle(true), settle(false));
  });

const lateFor = (timeoutMs: number): Promise<never> =>
  Promise.reject(new Error(`not begun within ${timeoutMs} ms`));

function describeFailure(
  error: unknown,
  drop: () => void,
): Exclude<SessionAnswer<never>, { readonly kind: "answered" }> {
  if (error instanceof ConnectionError)
    return { kind: isServerThere(error) ? "rejected" : "unreachable", reason: error.message };
  if (!(error instanceof DatabaseError)) throw error;
  if (error.meaning !== "connection-lost") return { kind: "failed", reason: error.message };
  drop();
  return { kind: "unreachable", reason: error.message };
}
