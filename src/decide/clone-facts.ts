import type { Conninfo } from "../model/conninfo.js";
import type { DataDirectoryState } from "../model/data-directory-state.js";
import type { NodeId, NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import type { SchemaState } from "../model/schema-state.js";
import type { SourceServerFacts } from "../model/source-server.js";
import type { TablespaceMapping } from "../model/tablespace-mapping.js";
import type { BaseBackupOptions } from "./basebackup-options.js";
import type { ConfigurationFilesFacts, ConfigurationPlacement } from "./configuration-files.js";
import type { RecoveryRules } from "./recovery-parameters.js";

/** What was asked for, on the command line and in repmgr.conf. */
export interface CloneRequest {
  /** The name under which the program was called, for hints. */
  readonly programName: string;
  readonly dataDirectory: string;
  /** Null and empty when the clone runs without repmgr.conf. */
  readonly nodeId: NodeId | null;
  readonly nodeName: string;
  readonly source: Conninfo;
  /** `-d` was a connection string: pg_basebackup receives one as well. */
  readonly isSourceConninfoString: boolean;
  readonly upstreamNodeId: NodeId | null;
  readonly upstreamConninfo: Conninfo | null;
  readonly replicationUser: string | null;
  /** `replication_user` of repmgr.conf, the last choice before the user of the connection. */
  readonly configuredReplicationUser: string | null;
  readonly superuser: string | null;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly fastCheckpoint: boolean;
  readonly verifyBackup: boolean;
  readonly useReplicationSlots: boolean;
  readonly binDirectory: string;
  readonly baseBackupOptions: BaseBackupOptions;
  /** Of `tablespace_mapping`; those within `pg_basebackup_options` are in there. */
  readonly tablespaceMappings: readonly TablespaceMapping[];
  readonly recovery: RecoveryRules;
  readonly environmentPassword: string | null;
  readonly passfile: string;
  /** `--copy-external-config-files`; null without. */
  readonly configurationPlacement: ConfigurationPlacement | null;
}

/** The place to which the clone goes. */
export interface CloneTarget {
  readonly path: string;
  readonly state: DataDirectoryState;
  readonly unfinishedClone: {
    readonly programPid: number | null;
    readonly createdSlot: string | null;
    readonly externalDirectories: readonly string[];
  } | null;
  /** Each pg_basebackup that writes to this place. */
  readonly baseBackupPids: readonly number[];
  readonly freeBytes: number | null;
  /** What `-F` would delete along: other data directories, the home directory of the user. */
  readonly strangers: readonly string[];
}

/** A replication slot as its server shows it. */
export interface SlotFacts {
  readonly isPhysical: boolean;
  readonly isActive: boolean;
}

export interface SourceServer extends SourceServerFacts {
  readonly version: number;
  readonly versionText: string;
  readonly host: string;
  readonly port: string;
  readonly user: string;
  readonly database: string;
  /** The slot of this node; null when there is none of this name. */
  readonly slot: SlotFacts | null;
  /** Null when the user may not know it. */
  readonly installationBytes: number | null;
}

interface UpstreamServer {
  readonly identity: string;
}

export interface CloneFacts {
  readonly target: CloneTarget;
  /** Major version; null when pg_basebackup could not be run. */
  readonly baseBackupVersion: number | null;
  readonly canVerifyBackup: boolean;
  readonly source: SourceServer;
  /** Null when the source is a standby and no primary could be found. */
  readonly primarySchema: SchemaState | null;
  readonly nodes: readonly NodeRecord[];
  /** A registered member of the cluster and the system it belongs to; null when none could be asked. */
  readonly member: { readonly record: NodeRecord; readonly systemIdentifier: string } | null;
  readonly upstream: {
    readonly record: NodeRecord | null;
    readonly conninfo: Conninfo | null;
    /** Null when the upstream could not be asked. */
    readonly server: UpstreamServer | null;
  };
  readonly replicationConnections: ReplicationConnections;
  /** Directories outside the data directory that pg_basebackup will fill, with what is in them. */
  readonly externalDirectories: readonly { readonly path: string; readonly entries: number }[];
  readonly configurationFiles: ConfigurationFilesFacts | null;
}

/** What came of opening as many replication connections as the backup needs. */
export interface ReplicationConnections {
  readonly user: string;
  readonly opened: number;
  /** Why one of them could not be opened. */
  readonly failure: { readonly reason: string; readonly hint: string | null } | null;
}

/** A reason not to clone; the kind decides the exit code. */
export interface CloneProblem extends Problem {
  readonly kind: "prerequisite" | "replication-slot" | "configuration-file";
}
