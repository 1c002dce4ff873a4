import { SILENT_MS } from "../coordination/look-at-lease.js";
import { createStandingSession } from "../coordination/standing-session.js";
import { parseConninfo } from "../model/conninfo.js";
import { ConnectionError } from "../postgres/connection-error.js";
import { DatabaseError } from "../errors/database-error.js";
import {
  endGuards,
  findGuard,
  mayRunServerPrograms,
  showKick,
  startGuardSession,
  type SeenGuard,
} from "../postgres/guard-session.js";
import type { Database } from "../postgres/database.js";
import { createGuardProcess } from "./guard-process-keeper.js";
import { describeNoteOwner, GUARD_NOTE_FILE } from "./guard-note.js";
import type { Runtime } from "./runtime.js";

/** What stops the server when this daemon does not live to do it. Times are by the daemon's monotonic clock. */
export interface PrimaryGuard {
  /** Makes sure that there is one; one that is there keeps the time it has. True when it is there. */
  start(goodUntil: number): Promise<boolean>;
  /** Gives it until then, after it was seen to be there; one that is missing is started again. True when it is there. */
  kick(goodUntil: number): Promise<boolean>;
  /** Nothing stops the server any more. */
  release(): Promise<void>;
}

type GuardKind = "session" | "process" | "none";

const WITHIN_MS = 500;
const POLL_EVERY_MS = 10;
const SEEK_SESSION_EVERY_MS = 5000;

export function createPrimaryGuard(runtime: Omit<Runtime, "guard">): PrimaryGuard {
  const { context } = runtime;
  const { clock, reporter, databases } = context;
  const conninfo = () => parseConninfo(context.settings().conninfo);
  const kicker = createStandingSession({ databases, conninfo: conninfo() });
  const guardProcess = createGuardProcess(runtime);
  /** Those that there may be beside the one that is kept. */
  const leftOver = new Set<"session" | "process">(["session", "process"]);
  /** The process does until then: a session that cannot be had holds up each renewal of the lease. */
  let seekSessionAt = -Infinity;
  let told: string | null = null;
  let complaints = 0;

  const tellOnce = (message: string, detail: string): void => {
    complaints += 1;
    if (told === message) return;
    told = message;
    reporter.warning(message, {
      detail,
      hint: 'grant "pg_execute_server_program" to the user of "conninfo", and see "primary_fence_guard" in repmgr.conf',
    });
  };
  /** As the server was last seen: a look may be late where a kick is not. */
  let lastStanding = { timeline: 0, term: 0 };
  const standing = (): { readonly timeline: number; readonly term: number } => {
    const look = runtime.lastLook?.look;
    if (look !== undefined) lastStanding = { timeline: look.timeline ?? 0, term: look.termRow ?? 0 };
    return lastStanding;
  };
  const isWritable = (): boolean => runtime.lastLook?.look.inRecovery === false;
  const launch = async (goodUntil: number): Promise<void> => {
    await startGuardSession(databases, conninfo(), {
      order: (now) => ({
        goodUntil: now + goodUntil - clock.monotonic(),
        dataDirectory: context.settings().data_directory,
        noteFile: GUARD_NOTE_FILE,
        note: describeNoteOwner(runtime),
        ...standing(),
      }),
      signal: AbortSignal.timeout(WITHIN_MS),
    });
  };
  const seek = async (database: Database): Promise<{ readonly seen: SeenGuard; readonly at: number }> => {
    const seen = await findGuard(database);
    return { seen, at: clock.monotonic() };
  };
  /** It sleeps until the clock is where it was, is newer by it than any other, and stops a healthy server if it wakes. */
  const clearAway = async (database: Database): Promise<void> => {
    await endGuards(database);
    const deadline = clock.monotonic() + WITHIN_MS / 2;
    while (clock.monotonic() < deadline && (await findGuard(database)).pid !== null)
      await clock.sleep(POLL_EVERY_MS);
  };
  const isAlive = ({ pid, silentMs }: SeenGuard): boolean =>
    pid !== null && silentMs !== null && Math.abs(silentMs) < SILENT_MS;
  /** The kick is shown first: a new session must not believe one that was given by another clock. */
  const ensureSession = async (
    goodUntil: number,
    isKick: boolean,
  ): Promise<"there" | "no-rights" | "failed"> => {
    const outcome = await kicker
      .use(2 * WITHIN_MS, async (database) => {
        const { seen, at } = await seek(database);
        const kick = { goodUntil: seen.now + goodUntil - at, ...standing() };
        if (isAlive(seen)) {
          if (isKick) await showKick(database, kick);
          return "there" as const;
        }
        if (!(await mayRunServerPrograms(database))) return "no-rights" as const;
        await showKick(database, kick);
        if (seen.silentMs !== null && seen.silentMs < 0) await clearAway(database);
        await launch(goodUntil);
        const deadline = clock.monotonic() + WITHIN_MS;
        while (clock.monotonic() < deadline) {
          const { seen: started } = await seek(database);
          if (isAlive(started) && started.pid !== seen.pid) {
            reporter.info("the dead-man session on the local server was started");
            return "there" as const;
          }
          await clock.sleep(POLL_EVERY_MS);
        }
        return "failed" as const;
      })
      .catch((error: unknown) => {
        if (
          error instanceof ConnectionError ||
          error instanceof DatabaseError ||
          error instanceof DOMException
        )
          return { kind: "failed" as const, reason: error.message };
        throw error;
      });
    if (outcome.kind === "answered" && outcome.value !== "failed") return outcome.value;
    tellOnce(
      "unable to keep the dead-man session on the local server",
      outcome.kind === "answered" ? "it was started and has not shown itself" : outcome.reason,
    );
    return "failed";
  };

  /** Of another daemon, or of other settings: nobody would kick it, and it would stop a healthy server. */
  const leave = async (kind: "session" | "process"): Promise<void> => {
    if (!leftOver.has(kind)) return;
    if (kind === "process") await guardProcess.release();
    else if ((await kicker.use(2 * WITHIN_MS, endGuards)).kind !== "answered") return;
    leftOver.delete(kind);
  };

  const ensure = async (goodUntil: number, isKick: boolean): Promise<GuardKind | null> => {
    const { primary_fence_guard: wanted } = context.settings();
    let isPossible = wanted === "process";
    const isStoodIn = wanted === "auto" && clock.monotonic() < seekSessionAt;
    if (isStoodIn) isPossible = true;
    else if (wanted === "session" || wanted === "auto") {
      const outcome = await ensureSession(goodUntil, isKick);
      isPossible = outcome === "failed";
      if (outcome === "there") {
        await leave("process");
        seekSessionAt = -Infinity;
        leftOver.add("session");
        return "session";
      }
      if (wanted === "session") {
        if (outcome === "no-rights")
          tellOnce("this user may not start the dead-man session", '"primary_fence_guard" is "session"');
        return null;
      }
    }
    if (wanted === "process" || wanted === "off") await leave("session");
    if (wanted !== "off") {
      if (await guardProcess.ensure(goodUntil, { ...standing(), isWritable: isWritable(), isKick })) {
        leftOver.add("process");
        if (isPossible && wanted === "auto" && !isStoodIn)
          seekSessionAt = clock.monotonic() + SEEK_SESSION_EVERY_MS;
        return "process";
      }
      seekSessionAt = -Infinity;
      if (isPossible) {
        tellOnce("unable to keep a dead-man process", `"primary_fence_guard" is "${wanted}"`);
        return null;
      }
    }
    if (wanted === "off") await leave("process");
    tellOnce(
      "the lease depends on this daemon",
      "while it is dead or frozen, nothing stops this server when it is isolated",
    );
    return "none";
  };
  /** A session is kicked by what is shown; the others are told so for whoever asks for the state of the lease. */
  const show = async (goodUntil: number, guard: "process" | "none"): Promise<void> => {
    await kicker.use(WITHIN_MS, async (database) => {
      const { seen, at } = await seek(database);
      await showKick(database, { goodUntil: seen.now + goodUntil - at, ...standing(), guard });
    });
  };
  const keep = async (goodUntil: number, isKick: boolean): Promise<boolean> => {
    const before = complaints;
    const kind = await ensure(goodUntil, isKick);
    if (complaints === before && clock.monotonic() >= seekSessionAt) told = null;
    if (isKick && (kind === "process" || kind === "none")) await show(goodUntil, kind);
    return kind !== null;
  };
  return {
    start: (goodUntil) => keep(goodUntil, false),
    kick: (goodUntil) => keep(goodUntil, true),
    release: async () => {
      await guardProcess.release();
      await kicker.use(2 * WITHIN_MS, endGuards);
      await kicker.close();
    },
  };
}
