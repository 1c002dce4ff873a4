import { formatLsn, type Lsn } from "../model/lsn.js";

export interface ShutdownFacts {
  readonly isDataDirectory: boolean;
  /** It answers, if only with a refusal, or its process is there: a frozen server is not one that crashed. */
  readonly isServerUp: boolean;
  /** What pg_control says; null when it cannot be read. */
  readonly control: { readonly state: string; readonly checkpointLsn: Lsn } | null;
}

export type ShutdownState =
  | { readonly kind: "UP" | "SHUTTING_DOWN" | "UNCLEAN_SHUTDOWN" | "UNKNOWN" }
  | { readonly kind: "SHUTDOWN"; readonly checkpointLsn: Lsn };

/** Whether the server has written all its WAL, and up to where (reference: repmgr-cli 1.12, `--is-shutdown-cleanly`). */
export function judgeShutdown({ isDataDirectory, isServerUp, control }: ShutdownFacts): ShutdownState {
  if (!isDataDirectory || control === null) return { kind: "UNKNOWN" };
  if (isServerUp) return { kind: control.state === "shutting down" ? "SHUTTING_DOWN" : "UP" };
  if (control.state === "shut down" || control.state === "shut down in recovery")
    return { kind: "SHUTDOWN", checkpointLsn: control.checkpointLsn };
  return { kind: "UNCLEAN_SHUTDOWN" };
}

/** The line that `standby switchover`, ours or the reference's, reads from the node that it stops. */
export function renderShutdownState(state: ShutdownState): string {
  const position =
    state.kind === "SHUTDOWN" ? ` --last-checkpoint-lsn=${formatLsn(state.checkpointLsn)}` : "";
  return `--state=${state.kind}${position}\n`;
}
