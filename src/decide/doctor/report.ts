import type { NodeId } from "../../model/node-record.js";

type DoctorCheck =
  | "configuration"
  | "data directory"
  | "programs"
  | "service commands"
  | "disk space"
  | "passwords"
  | "connection"
  | "replication connection"
  | "pg_hba"
  | "identity"
  | "version"
  | "schema"
  | "settings"
  | "archiving"
  | "clock"
  | "slots"
  | "slot synchronisation"
  | "upstream"
  | "synchronous mode"
  | "synchronous_commit";

/** `note`: worth knowing, nothing to repair; `unknown`: this user may not look. Neither changes the exit code. */
export type DoctorStatus = "ok" | "note" | "unknown" | "warning" | "failed";

export interface Finding {
  readonly status: Exclude<DoctorStatus, "ok">;
  /** Stable, for programs: `wal_level`. */
  readonly code: string;
  readonly detail: string;
  /** The command or the change that repairs it; null for what needs no repair. */
  readonly hint: string | null;
}

export interface DoctorRow {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly check: DoctorCheck;
  readonly status: DoctorStatus;
  /** Null for `ok`. */
  readonly code: string | null;
  readonly detail: string;
  readonly hint: string | null;
}

/** What one check found at one node; without a finding the check is fine. */
export interface CheckResult {
  readonly check: DoctorCheck;
  readonly findings: readonly Finding[];
  readonly okDetail: string;
}

export const failed = (code: string, detail: string, hint: string): Finding => ({
  status: "failed",
  code,
  detail,
  hint,
});

export const warning = (code: string, detail: string, hint: string): Finding => ({
  status: "warning",
  code,
  detail,
  hint,
});

export const note = (code: string, detail: string): Finding => ({
  status: "note",
  code,
  detail,
  hint: null,
});

export const unknown = (code: string, detail: string, hint: string): Finding => ({
  status: "unknown",
  code,
  detail,
  hint,
});

/** Only a failure or a warning is a problem. */
export const isProblem = ({ status }: Pick<DoctorRow, "status">): boolean =>
  status === "failed" || status === "warning";

/** A row for each finding, or one that says that all is well. */
export function toRows(
  node: { readonly nodeId: NodeId; readonly nodeName: string },
  { check, findings, okDetail }: CheckResult,
): readonly DoctorRow[] {
  const { nodeId, nodeName } = node;
  if (findings.length === 0)
    return [{ nodeId, nodeName, check, status: "ok", code: null, detail: okDetail, hint: null }];
  return findings.map((finding) => ({ nodeId, nodeName, check, ...finding }));
}
