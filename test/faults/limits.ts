/** What a fault may cost; a story that misses one of these fails. */
export interface Limits {
  readonly primaryAfterwards: "a standby" | "unchanged" | "whoever is elected";
  readonly outageMs: number;
  /**
   * `counted`: rows that the old primary had acknowledged and not sent yet; the new primary's are never missing.
   * `of a stray`: rows of a standby that somebody has promoted.
   */
  readonly missing: 0 | "counted" | "of a stray";
  readonly overlapMs: number;
}

/**
 * Without a fault, too, a commit may take a moment on a busy machine: an outage of 0 is one that nobody waits longer
 * than this for.
 */
const NO_OUTAGE_MS = 1000;

const unchanged: Limits = {
  primaryAfterwards: "unchanged",
  outageMs: NO_OUTAGE_MS,
  missing: 0,
  overlapMs: 0,
};
const failover: Limits = { primaryAfterwards: "a standby", outageMs: 5000, missing: "counted", overlapMs: 0 };

/** The acceptance table: three attempts one second apart before a primary is lost. */
export const limits = {
  "clean stop": { ...failover, outageMs: 4000, missing: 0 },
  "clean stop, two nodes": { ...failover, outageMs: 4000, missing: 0 },
  "server killed": failover,
  "server killed, started without the guard": { ...failover, overlapMs: 500 },
  "daemon killed": unchanged,
  "container killed, started later": { ...failover, overlapMs: 500 },
  "frozen 30 s, thawed": { ...failover, overlapMs: 500 },
  "primary cut from both standbys": { ...failover, outageMs: 4000, overlapMs: Infinity },
  "primary cut from both standbys, refused": { ...failover, outageMs: 4000, overlapMs: Infinity },
  "one standby cut": unchanged,
  "one-way cuts": unchanged,
  "link cut while a witness sees both": unchanged,
  "promote command fails": { ...failover, outageMs: 15_000, missing: 0 },
  "promote command is killed": { ...failover, outageMs: 15_000, missing: 0 },
  "promote command hangs": { ...failover, outageMs: 15_000, missing: 0 },
  "candidate dies during promotion": { ...failover, outageMs: 15_000, missing: 0 },
  "two failures in a row": { ...failover, outageMs: Infinity },
  "two failures in a row, the first node unregistered": { ...failover, outageMs: Infinity },
  "two failures in a row, with a witness": { ...failover, outageMs: Infinity },
  "priority 0": { ...failover, outageMs: Infinity },
  "priority 0, with the most of the log": { ...failover, outageMs: Infinity },
  "lagging standby": { ...failover, outageMs: Infinity },
  "delayed standby": { ...failover, outageMs: Infinity },
  "middle node of a cascade dies": unchanged,
  "paused, over restarts": { ...failover, outageMs: Infinity },
  "promoted by hand": { ...unchanged, missing: "of a stray", overlapMs: Infinity },
  "disk full": { ...failover, missing: 0 },
  "voter's server restarts": { ...failover, outageMs: 10_000, missing: 0 },
  "primary cut from both standbys, isolation 5 s": { ...failover, outageMs: 9000 },
  "primary cut, its daemon dead": { ...failover, outageMs: 9000 },
  "primary cut, its daemon frozen": { ...failover, outageMs: 9000 },
  "primary cut, the clocks of the others 2 % fast": { ...failover, outageMs: 9000 },
  // Its promote_command takes 1 s.
  "dates set back and forth": { ...failover, outageMs: 12_000 },
  "container killed, started later behind the guard": failover,
  // Its promote_command takes 2 s.
  "rebooted during the failover, its daemon disabled": { ...failover, outageMs: 8000 },
  // All have the same log, and whoever asks first is elected.
  "a session killed where the primary starts as a standby": {
    ...unchanged,
    primaryAfterwards: "whoever is elected",
    // Of another one: rows that the killed server had not sent yet. None may be missing when it stays.
    missing: "counted",
    outageMs: 2000,
  },
  "cold start, the old primary first": { ...failover, outageMs: Infinity },
  "cold start, the old primary last": { ...failover, outageMs: Infinity },
  "cold start, all at once": { ...failover, outageMs: Infinity },
  "synchronous mode, server killed": { ...failover, missing: 0 },
  "synchronous mode, primary cut": { ...failover, outageMs: 4000, missing: 0 },
  "synchronous mode, frozen 30 s, thawed": { ...failover, missing: 0 },
  // While the standby that lacks rows is the only one left, nobody acknowledges: that is the promise.
  "standby cut, primary killed twice": { ...failover, outageMs: Infinity, missing: 0 },
} satisfies Readonly<Record<string, Limits>>;

export type FaultName = keyof typeof limits;
