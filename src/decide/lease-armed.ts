import type { Member } from "../model/member-report.js";
import { isLeasePossible } from "./lease.js";

/** What is known of the lease of the node that is writable now. */
export interface LeaseFacts {
  readonly members: readonly Member[];
  readonly timeoutMs: number | null;
  /** Null: no node is writable, or it does not answer. */
  readonly primary: {
    readonly name: string;
    readonly isPaused: boolean;
    /** Null: no daemon renews a lease there. */
    readonly lease: { readonly guard: "session" | "process" | "none"; readonly goodForMs: number } | null;
  } | null;
}

/** Whether an isolated primary would stop itself, whatever becomes of its daemon, and every reason why not. */
export interface LeaseVerdict {
  readonly isArmed: boolean;
  readonly reasons: readonly string[];
}

/** Null where no lease is configured. */
export function judgeLeaseArmed({ members, timeoutMs, primary }: LeaseFacts): LeaseVerdict | null {
  if (timeoutMs === null) return null;
  const reasons = [
    ...(isLeasePossible(members)
      ? []
      : ["two nodes have no majority without each other; a witness would help"]),
    ...(primary === null ? ["no primary answers"] : describeShortcomings(primary)),
  ];
  return { isArmed: reasons.length === 0, reasons };
}

function describeShortcomings({
  name,
  isPaused,
  lease,
}: NonNullable<LeaseFacts["primary"]>): readonly string[] {
  if (isPaused) return [`paused: ${name}`];
  if (lease === null) return [`no daemon renews the lease of ${name}`];
  if (lease.goodForMs < 0) return [`the lease of ${name} has run out: its daemon is dead or frozen`];
  if (lease.guard !== "none") return [];
  return [`nothing stops ${name} while its daemon is dead or frozen: see "primary_fence_guard"`];
}
