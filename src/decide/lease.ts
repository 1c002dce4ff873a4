import type { Member, MemberAnswer } from "../model/member-report.js";
import type { NodeId } from "../model/node-record.js";
import { CLOCK_RATE_ERROR, type FailoverSettings } from "./failover-settings.js";
import { hasMajority } from "./quorum.js";
import type { Action, HeldLease, Situation } from "./watch-types.js";

/**
 * Whether a primary holds a lease now. Two voters have no majority without each other, so that each loss of the standby
 * would stop the primary; nobody can be promoted there either. A pause is somebody's maintenance.
 */
export function holdsLease({ daemon, settings }: Pick<Situation, "daemon" | "settings">): boolean {
  const { memory, membership } = daemon;
  return (
    settings.primary_isolation_timeout !== null && !memory.isPaused && isLeasePossible(membership.members)
  );
}

export function isLeasePossible(members: readonly Member[]): boolean {
  return members.length !== 2;
}

/**
 * The lease of a server that has become writable by votes asked for at `grantedAt`, or that was found writable (null).
 * Counters begin at a number that is random and grows, so that no echo of an earlier lease is taken for one of this.
 */
export function startLease(
  settings: FailoverSettings,
  { seed, grantedAt, now }: { seed: number; grantedAt: number | null; now: number },
): HeldLease | null {
  if (settings.primary_isolation_timeout === null) return null;
  return { counter: seed + Math.floor(now), sent: [], confirmed: new Map(), grantedAt, startedAt: now };
}

/** The dead-man session comes before the first write: it stops the server when the daemon does not live to do it. */
export function startGuard(
  lease: HeldLease | null,
  settings: FailoverSettings,
  now: number,
): readonly Action[] {
  if (lease === null) return [];
  const goodForMs = (lease.grantedAt ?? now) + leaseLength(settings) - now;
  return [{ kind: "start-guard", goodForMs }];
}

/** Milliseconds between two renewals: four of them, and a second for one that is late, fit into the time-out. */
export function renewalInterval(settings: FailoverSettings): number {
  const timeout = settings.primary_isolation_timeout ?? Infinity;
  return Math.min(settings.monitor_interval_secs, timeout / 5, (timeout - 1000) / 4);
}

/** How often a node looks at its own server where there are leases: a voter has to echo them, a primary to renew its own. */
export function leasePace(settings: FailoverSettings): number {
  return settings.primary_isolation_timeout === null
    ? Infinity
    : Math.max(renewalInterval(settings) / 3, 100);
}

/** The next counter; its age counts from its sending, since an echo proves nothing younger. */
export function renewLease(lease: HeldLease, now: number): HeldLease {
  const counter = lease.counter + 1;
  return { ...lease, counter, sent: [...lease.sent.slice(-40), { counter, at: now }] };
}

/** Takes over what the members echo. Only a counter of this lease counts as an echo. */
export function confirmLease(lease: HeldLease, self: NodeId, answers: readonly MemberAnswer[]): HeldLease {
  const confirmed = new Map(lease.confirmed);
  for (const answer of answers) {
    if (answer.kind !== "answered" || answer.beacon?.leaseEcho?.holder !== self) continue;
    const echoed = answer.beacon.leaseEcho.counter;
    const sentAt = lease.sent.find(({ counter }) => counter === echoed)?.at;
    if (sentAt !== undefined)
      confirmed.set(answer.nodeId, Math.max(sentAt, confirmed.get(answer.nodeId) ?? 0));
  }
  return { ...lease, confirmed };
}

interface LeaseContext {
  readonly self: NodeId;
  readonly members: readonly Member[];
  readonly settings: FailoverSettings;
}

/** Until when a majority has allowed the server to be writable: T after the newest moment at which it still heard it. */
export function leaseEndsAt(lease: HeldLease, { self, members, settings }: LeaseContext): number {
  const moments = [...lease.confirmed.values()].sort((a, b) => b - a);
  const authority = moments.find((moment) => {
    const voters = [...lease.confirmed].filter(([, at]) => at >= moment).map(([id]) => id);
    return hasMajority(members, new Set([self, ...voters]));
  });
  return Math.max(authority ?? -Infinity, lease.grantedAt ?? -Infinity) + leaseLength(settings);
}

/** When the daemon stops the server; one that has just been started gives the members the time to answer it. */
export function fencesAt(lease: HeldLease, context: LeaseContext): number {
  const grace = lease.grantedAt === null ? lease.startedAt + leaseLength(context.settings) : -Infinity;
  return Math.max(leaseEndsAt(lease, context), grace);
}

function leaseLength(settings: FailoverSettings): number {
  return (settings.primary_isolation_timeout ?? Infinity) * (1 - CLOCK_RATE_ERROR);
}
