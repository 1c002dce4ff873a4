import { type Conninfo, parseConninfo } from "../model/conninfo.js";
import {
  formatPoolerAddress,
  isLocalPooler,
  nameInConsole,
  type PauseOutcome,
  type PoolerAddress,
  type PoolerAim,
  type PoolerTarget,
} from "../model/pooler.js";
import type { Problem } from "../model/problem.js";
import { redirectEntries } from "./pgbouncer-file.js";

/** The host and port that this pgbouncer reaches the server of `conninfo` by; null when it names none. */
export function findPoolerTarget(conninfo: Conninfo, pooler: PoolerAddress): PoolerTarget | null {
  const first = (keyword: string): string => (conninfo.get(keyword) ?? "").split(",")[0] ?? "";
  const host = first("host") || first("hostaddr");
  if (host === "" || host.startsWith("@") || (host.startsWith("/") && !isLocalPooler(pooler))) return null;
  return { host, port: Number(first("port") || "5432") };
}

/** How a pgbouncer comes to lead to the server of `conninfo`; null when it cannot reach that one. */
export function aimPooler(
  conninfo: string,
  { pooler, names }: { readonly pooler: PoolerAddress; readonly names: readonly string[] },
): PoolerAim | null {
  const target = findPoolerTarget(parseConninfo(conninfo), pooler);
  if (target === null) return null;
  return { target, rewrite: (text) => redirectEntries(text, { databases: names, target }) };
}

/** What to say about a PAUSE before the promotion goes on without it; null when there is nothing. */
export function judgePause(
  outcome: PauseOutcome,
  about: { readonly pooler: PoolerAddress; readonly database: string; readonly timeoutMs: number },
): Problem | null {
  const where = `database "${about.database}" on pgbouncer "${formatPoolerAddress(about.pooler)}"`;
  switch (outcome.kind) {
    case "paused":
      return null;
    case "busy":
      return {
        message: `transactions still run in ${where}`,
        detail: `they did not end within ${about.timeoutMs / 1000} seconds (parameter "pgbouncer_pause_timeout"); new ones wait, and the promotion goes on`,
      };
    case "failed":
      return {
        message: `unable to pause ${where}`,
        detail: `${outcome.reason}\nthe promotion goes on, and this pgbouncer is tried again afterwards`,
      };
  }
}

/** A pgbouncer that could not be led to the new primary, with what is left to do by hand. */
export function describeUnledPooler(
  reason: string,
  left: {
    readonly pooler: PoolerAddress;
    readonly target: PoolerTarget | null;
    readonly databases: readonly string[];
    readonly file: string;
    readonly user: string;
    /** Databases that are paused for as long as nobody resumes them. */
    readonly paused: readonly string[];
    /** A daemon of ours leads this pgbouncer as soon as it can. */
    readonly isTriedAgain: boolean;
  },
): Problem {
  const { pooler, target, databases, file, user, paused, isTriedAgain } = left;
  const names = databases.map((name) => `"${name}"`).join(", ");
  const words = target === null ? '"host" and "port"' : `host=${target.host} port=${target.port}`;
  const as = user === "" ? "" : ` -U ${user}`;
  const resumes = databases.map((name) => ` -c 'RESUME${nameInConsole(name)}'`).join("");
  const waiting =
    paused.length === 0
      ? ""
      : `\nits clients keep waiting, because the old primary must get no writes: ${paused.map((name) => `"${name}"`).join(", ")} stays paused`;
  return {
    message: `pgbouncer "${formatPoolerAddress(pooler)}" could not be led to the new primary`,
    detail: `${reason}${waiting}`,
    hint:
      (isTriedAgain
        ? "the daemon of this node tries again for as long as it is the primary; by hand: "
        : "") +
      `set ${words} for ${names} in "${file}" on its host, then execute: ` +
      `psql -h ${pooler.host} -p ${pooler.port}${as} -d pgbouncer -c RELOAD${resumes}`,
  };
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

/** How long the daemon leaves a pgbouncer alone that it could not lead so often, in milliseconds. */
export function waitBeforeNextLead(failures: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1), LONGEST_WAIT_MS);
}
