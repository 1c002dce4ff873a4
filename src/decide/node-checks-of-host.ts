import type { CheckFinding } from "./node-check-findings.js";

export interface DataDirectoryFacts {
  readonly configured: string;
  /** What the server says; null when this user may not read it. */
  readonly actual: string | null;
  /** Whether both paths lead to one directory. */
  readonly isSame: boolean;
  /** Whether the configured one contains PG_VERSION. */
  readonly isDataDirectory: boolean;
}

export function checkDataDirectory(facts: DataDirectoryFacts): CheckFinding<"data-directory-config"> {
  const { configured, actual } = facts;
  const check = "data-directory-config";
  const measured = { configured, actual };
  const details = `configured "data_directory" is "${configured}"`;
  if (actual === null ? facts.isDataDirectory : facts.isSame)
    return { check, status: "OK", details, measured };
  const contradiction = describeContradiction(actual);
  return { check, status: "CRITICAL", details: `${details}; ${contradiction}`, measured };
}

/** What is said against the configured directory, in text and Nagios form alike. */
export const describeContradiction = (actual: string | null): string =>
  actual === null ? "no PostgreSQL data directory is there" : `actual data directory is "${actual}"`;

/** `state` as `repmgr.repmgrd_is_running()` and its sister tell; null when they could not be asked. */
export function checkRepmgrd(
  state: { readonly isRunning: boolean; readonly isPaused: boolean } | null,
): CheckFinding<"repmgrd"> {
  const running = state?.isRunning ?? false;
  const measured = { running, paused: running && (state?.isPaused ?? false) };
  const check = "repmgrd";
  if (!running) return { check, status: "CRITICAL", details: "repmgrd not running", measured };
  if (measured.paused) return { check, status: "WARNING", details: "repmgrd running but paused", measured };
  return { check, status: "OK", details: "repmgrd running", measured };
}

/** A replication configuration of another owner cannot be rewritten by a promotion or a follow. Null: not readable. */
export function checkReplicationConfigOwner(owners: {
  readonly ofFile: number | null;
  readonly ofDirectory: number | null;
}): CheckFinding<"replication-config-owner"> {
  const matches = owners.ofFile !== null && owners.ofFile === owners.ofDirectory;
  return {
    check: "replication-config-owner",
    status: matches ? "OK" : "CRITICAL",
    details: matches
      ? "the replication configuration belongs to the owner of the data directory"
      : "the replication configuration does not belong to the owner of the data directory",
    measured: { matches },
  };
}

/** `parameters` of the attempt, `key=value` each and without a password; null when it succeeded. */
export function checkDatabaseConnection(parameters: readonly string[] | null): CheckFinding<"db-connection"> {
  const check = "db-connection";
  if (parameters === null) return { check, status: "OK", details: "", measured: { connected: true } };
  const details = `connection parameters used: ${parameters.join(" ")}`;
  return { check, status: "CRITICAL", details, measured: { connected: false } };
}
