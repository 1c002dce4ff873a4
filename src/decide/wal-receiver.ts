import type { Problem } from "../model/problem.js";

export interface WalReceiverFacts {
  readonly inRecovery: boolean;
  readonly isSuperuser: boolean;
  /** Null when no WAL receiver runs. */
  readonly receiverPid: number | null;
  /** The server's `wal_retrieve_retry_interval`. */
  readonly retryIntervalMs: number;
}

/** A day more to wait for the next attempt is what keeps a WAL receiver from coming back (reference: repmgr-cli 1.16). */
const DISABLED_INTERVAL_MS = 86_400_000;

export type WalReceiverPlan =
  | { readonly kind: "refused"; readonly problem: Problem }
  /** `retryIntervalMs` is the interval to set; null when it stays as it is. */
  | { readonly kind: "disable"; readonly pid: number; readonly retryIntervalMs: number | null }
  | { readonly kind: "enable"; readonly retryIntervalMs: number | null };

export function planWalReceiverControl(
  { inRecovery, isSuperuser, receiverPid, retryIntervalMs }: WalReceiverFacts,
  wish: "disable" | "enable",
): WalReceiverPlan {
  if (!inRecovery) {
    const message = "node is not in recovery";
    return refuse({ message, detail: "wal receiver can only run on standby nodes" });
  }
  if (!isSuperuser) {
    return refuse({
      message: "superuser connection required",
      detail: "ALTER SYSTEM and the state of the WAL receiver are for superusers",
      hint: "provide a superuser with -S/--superuser",
    });
  }
  const isDisabled = retryIntervalMs >= DISABLED_INTERVAL_MS;
  if (wish === "enable")
    return { kind: "enable", retryIntervalMs: isDisabled ? retryIntervalMs - DISABLED_INTERVAL_MS : null };
  if (receiverPid === null) return refuse({ message: "wal receiver not running" });
  return {
    kind: "disable",
    pid: receiverPid,
    retryIntervalMs: isDisabled ? null : retryIntervalMs + DISABLED_INTERVAL_MS,
  };
}

const refuse = (problem: Problem): WalReceiverPlan => ({ kind: "refused", problem });
