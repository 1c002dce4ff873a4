import type { Conninfo } from "../../model/conninfo.js";
import type { DataDirectoryState } from "../../model/data-directory-state.js";
import type { NodeId, NodeRecord } from "../../model/node-record.js";
import type { SchemaState } from "../../model/schema-state.js";

/** What came of one connection. */
export type Attempt =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly reason: string; readonly hint: string | null };

/** A line of pg_hba.conf as `pg_hba_file_rules` shows it. */
export interface AccessRule {
  readonly line: number;
  readonly type: string | null;
  readonly databases: readonly string[];
  readonly users: readonly string[];
  readonly address: string | null;
  readonly netmask: string | null;
  readonly method: string | null;
  /** Why the server cannot read the line. */
  readonly error: string | null;
}

/** A row of pg_replication_slots, as far as the release has the columns. */
export interface SlotFacts {
  readonly name: string;
  readonly isPhysical: boolean;
  readonly isActive: boolean;
  /** `reserved`, `extended`, `unreserved`, `lost`. */
  readonly walStatus: string | null;
  readonly retainedBytes: number | null;
  /** PostgreSQL 17: kept on standbys too. */
  readonly isFailover: boolean;
  /** PostgreSQL 17: a copy of a slot of the primary. */
  readonly isSynced: boolean;
}

export interface ConfigurationFileError {
  readonly file: string;
  readonly line: number;
  readonly name: string | null;
  readonly error: string;
}

/** What a server says of itself. Null members: this user may not read them. */
export interface ServerFacts {
  readonly version: number;
  readonly user: string;
  /** The connection leads to a pooler, which leads to the server. */
  readonly isThroughPooler: boolean;
  /** Of the whole cluster; as text because it exceeds 2^53. */
  readonly systemIdentifier: string | null;
  /** Tells two servers apart, and recognises one under two addresses. */
  readonly identity: string;
  readonly inRecovery: boolean;
  /** How far its clock is ahead of this host's; half of `roundTripMs` is the uncertainty. */
  readonly clockOffsetMs: number;
  readonly roundTripMs: number;
  readonly settings: ReadonlyMap<string, string>;
  /** Changed in the files and waiting for a restart. */
  readonly pendingRestart: readonly string[];
  readonly fileErrors: readonly ConfigurationFileError[] | null;
  readonly accessRules: readonly AccessRule[] | null;
  readonly slots: readonly SlotFacts[];
  readonly walSenders: readonly { readonly name: string; readonly state: string | null }[];
  readonly schema: SchemaState;
  readonly mayReplicate: boolean;
  /** `ALTER ROLE … SET` and `ALTER DATABASE … SET synchronous_commit`, in words. */
  readonly synchronousCommitOverrides: readonly string[];
  /** The WAL file that the archiver cannot get rid of. */
  readonly failingArchive: string | null;
}

export interface NodeFacts {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly conninfo: Conninfo;
  /** Null for a node that is not registered yet. */
  readonly record: NodeRecord | null;
  /** The node that this program runs on. */
  readonly isLocal: boolean;
  /** What its host name resolves to; empty for a socket or a name that nobody knows. */
  readonly addresses: readonly string[];
  readonly connection: Attempt;
  /** Null for a witness: nobody streams from it. */
  readonly replication: Attempt | null;
  /** Null when it did not answer. */
  readonly server: ServerFacts | null;
  /** Where the local server was found when `conninfo` does not lead to it. */
  readonly foundAt: string | null;
}

/** The part of repmgr.conf that is judged. */
export interface DoctorSettings {
  readonly node_id: number;
  readonly node_name: string;
  readonly conninfo: string;
  readonly data_directory: string;
  readonly pg_bindir: string;
  readonly use_replication_slots: boolean;
  readonly use_primary_conninfo_password: boolean;
  readonly restore_command: string;
  readonly failover: string;
  readonly promote_command: string;
  readonly follow_command: string;
  readonly service_promote_command: string;
  readonly reconnect_attempts: number;
  readonly reconnect_interval: number;
  readonly log_file: string;
  readonly sync_mode: string;
}

/** A command of repmgr.conf, or of the local server. */
export interface CommandFacts {
  readonly setting: string;
  readonly commandLine: string;
  /** Its first word, after `sudo` and its options; null when there is none. */
  readonly program: string | null;
  readonly isFound: boolean;
  /** Whether sudo lets this user run it without a password; null without sudo. */
  readonly sudo: { readonly isAllowed: boolean; readonly reason: string } | null;
}

export interface DiskFacts {
  readonly path: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What is seen on the host that this program runs on. */
export interface HostFacts {
  readonly osUser: string;
  readonly dataDirectory: DataDirectoryState;
  /** Permission bits; null when it is no directory. */
  readonly dataDirectoryMode: number | null;
  readonly programs: {
    readonly missing: readonly string[];
    /** Major version of pg_ctl; null when it does not tell. */
    readonly major: number | null;
  };
  readonly commands: readonly CommandFacts[];
  /** Null without `log_file`. */
  readonly logFile: { readonly path: string; readonly isWritable: boolean } | null;
  readonly disks: readonly DiskFacts[];
  /** What the server makes of its configuration while it is down; null when it runs or could not be asked. */
  readonly configurationTest: string | null;
  /** Why the password file is not used; null when it is, or is not there. */
  readonly passfileWarning: string | null;
  readonly passfile: string;
  /** Other nodes for which only PGPASSWORD, which no server sees, has the password. */
  readonly environmentOnly: readonly string[];
}

export interface DoctorFacts {
  readonly programName: string;
  readonly configuration: {
    /** Null when none was found. */
    readonly file: string | null;
    readonly errors: readonly string[];
    readonly warnings: readonly string[];
  };
  /** Null with errors in the configuration: nothing else can be asked then. */
  readonly settings: DoctorSettings | null;
  readonly host: HostFacts | null;
  /** The version of the schema that this program makes. */
  readonly schemaVersion: number;
  /** As registered, with the local node first in any case. */
  readonly nodes: readonly NodeFacts[];
  /** Why the node records could not be read; null when they were. */
  readonly recordsFailure: string | null;
}
