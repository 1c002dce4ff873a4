import { formatConninfo, type Conninfo } from "../model/conninfo.js";

/** What a standby is told in postgresql.auto.conf: name and value, in the order in which they are written. */
export type RecoveryParameters = ReadonlyMap<string, string>;

/** The part of repmgr.conf that ends up in a standby's configuration; null or empty means not configured. */
export interface RecoveryRules {
  readonly recoveryMinApplyDelay: string | null;
  readonly restoreCommand: string;
  readonly archiveCleanupCommand: string;
}

/** The same set for clone, follow and rejoin (reference: repmgr 5.5, `create_recovery_file`). */
export function decideRecoveryParameters(
  primaryConninfo: string,
  slotName: string | null,
  rules: RecoveryRules,
): RecoveryParameters {
  const parameters = new Map([["primary_conninfo", primaryConninfo]]);
  if (rules.recoveryMinApplyDelay !== null) {
    parameters.set("recovery_min_apply_delay", rules.recoveryMinApplyDelay);
  }
  if (slotName !== null) parameters.set("primary_slot_name", slotName);
  if (rules.restoreCommand !== "") parameters.set("restore_command", rules.restoreCommand);
  if (rules.archiveCleanupCommand !== "")
    parameters.set("archive_cleanup_command", rules.archiveCleanupCommand);
  return parameters;
}

export interface PrimaryConninfoParts {
  /** The connection that the command was given; the upstream's conninfo is laid over it. Empty for follow and rejoin. */
  readonly given: Conninfo;
  readonly upstream: Conninfo;
  readonly nodeName: string;
  /** The upstream's `repluser`; wins over a user in either conninfo. */
  readonly replicationUser: string | null;
  /** What libpq's environment offers, if `use_primary_conninfo_password` allows to write it down. */
  readonly environmentPassword: string | null;
  readonly passfile: string;
  /** Written only when not null: slot synchronisation of PostgreSQL 17 needs a database, nothing else does. */
  readonly dbname: string | null;
}

/** What decides whether `primary_conninfo` names a database. */
export interface SlotSynchronisationNeeds {
  /** Of the upstream. */
  readonly serverVersion: number;
  /** `sync_replication_slots` of the upstream; standbys have it like their upstream as a rule. */
  readonly synchronisesSlots: boolean;
  /** The database that the standby's own primary_conninfo names so far. */
  readonly kept: string | null;
  /** The database in which the upstream is asked. */
  readonly upstreamDatabase: string;
}

/** From PostgreSQL 17 on a standby synchronises slots through a database; repmgr drops it from primary_conninfo. */
export function chooseDatabaseForSlots(needs: SlotSynchronisationNeeds): string | null {
  if (needs.serverVersion < 170_000) return null;
  if (needs.kept !== null) return needs.kept;
  return needs.synchronisesSlots ? needs.upstreamDatabase : null;
}

/** Of the upstream's own conninfo: they describe how clients reach it from its host, not from this one. */
const NOT_TAKEN_OVER: readonly string[] = ["application_name", "passfile", "servicefile"];

const NOT_WRITTEN: readonly string[] = ["dbname", "replication"];

/** Keywords keep the place at which they first appear, as in repmgr: scripts compare the line. */
export function buildPrimaryConninfo(parts: PrimaryConninfoParts): string {
  const upstream = [...parts.upstream].filter(([keyword]) => !NOT_TAKEN_OVER.includes(keyword));
  const applicationName = ["application_name", parts.nodeName === "" ? "repmgr" : parts.nodeName] as const;
  const list = new Map(
    parts.given.size === 0 ? [...upstream, applicationName] : [...parts.given, applicationName, ...upstream],
  );
  if (parts.replicationUser !== null) list.set("user", parts.replicationUser);
  if (!list.has("password") && parts.environmentPassword !== null)
    list.set("password", parts.environmentPassword);
  if (parts.passfile !== "") list.set("passfile", parts.passfile);
  const written = new Map(
    [...list].filter(([keyword, value]) => value !== "" && !NOT_WRITTEN.includes(keyword)),
  );
  if (parts.dbname !== null) written.set("dbname", parts.dbname);
  return formatConninfo(written);
}
