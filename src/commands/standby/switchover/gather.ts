import type {
  CandidateFacts,
  PrimaryFacts,
  RefusedCommand,
  SwitchoverFacts,
  SwitchoverRules,
} from "../../../decide/switchover-facts.js";
import { findSiblings, type SiblingFacts } from "../../../decide/siblings.js";
import { mergeConninfo, parseConninfo } from "../../../model/conninfo.js";
import type { NodeRecord } from "../../../model/node-record.js";
import type { Problem } from "../../../model/problem.js";
import type { SwitchoverTrace } from "../../../model/switchover-trace.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import { readControlFile } from "../../../postgres/control-file.js";
import type { Database } from "../../../postgres/database.js";
import { readReplayState } from "../../../postgres/replay-state.js";
import { readRoom } from "../../../postgres/server-room.js";
import { readAttachment } from "../../../postgres/server-state.js";
import { configuredCommand } from "../../../postgres/service-control.js";
import type { CommandContext } from "../../define-command.js";
import { examineCommand } from "../../examine-command.js";
import { gatherReplicationConfigOwners } from "../../node/check/gather.js";
import { reachSiblings } from "../../remote-siblings.js";
import { readDaemons } from "./daemons.js";
import { askRemotePrimary } from "./remote-primary.js";

/** Who takes part, with open sessions on both servers. */
export interface Participants {
  readonly own: NodeRecord;
  readonly primary: NodeRecord;
  readonly records: readonly NodeRecord[];
  readonly local: Database;
  readonly primaryDatabase: Database;
  readonly trace: SwitchoverTrace | null;
}

/** Asks everybody at once for what `planSwitchover` needs; nothing is changed. */
export async function gatherSwitchoverFacts(
  context: CommandContext,
  participants: Participants,
  rules: SwitchoverRules,
): Promise<SwitchoverFacts> {
  const { own, primary, records, primaryDatabase, trace } = participants;
  // One session takes one statement after the other.
  const demoted = await readPrimary(context, primaryDatabase);
  // Before the logins: on a busy machine those take the time in which a server has to answer.
  const daemons = rules.pauses ? await readDaemons(context, records) : [];
  const [candidate, remote, siblings] = await Promise.all([
    readCandidate(context, participants, rules.superuser),
    askRemotePrimary(context, { own, primary, superuser: rules.superuser, archives: demoted.archives }),
    readSiblings(context, participants, rules.siblingsFollow),
  ]);
  const pausedBefore = trace?.candidate === own.nodeId ? trace.paused : [];
  return { own, primary, candidate, demoted, remote, siblings, daemons, pausedBefore };
}

/** Without `--siblings-follow` nobody asks whether they can be reached. */
export async function readSiblings(
  context: CommandContext,
  { own, primary, records }: Pick<Participants, "own" | "primary" | "records">,
  isFollowing: boolean,
): Promise<readonly SiblingFacts[]> {
  const siblings = findSiblings(records, { own: own.nodeId, upstream: primary.nodeId });
  return isFollowing
    ? reachSiblings(context, siblings)
    : siblings.map((record) => ({ record, problem: null }));
}

async function readCandidate(
  context: CommandContext,
  { own, local, primaryDatabase }: Participants,
  superuser: string | null,
): Promise<CandidateFacts> {
  const room = await readRoom(local);
  const lagSeconds = await readLagSeconds(local);
  const replay = await readReplayState(local);
  const [owners, attachment, superuserProblem, refusedCommands] = await Promise.all([
    gatherReplicationConfigOwners(context.settings.data_directory),
    readAttachment(primaryDatabase, own.nodeName),
    superuser === null ? null : trySuperuser(context, superuser),
    findRefusedCommands(context),
  ]);
  return {
    majorVersion: Math.floor(local.serverVersion / 10_000),
    attachment,
    owners,
    replay,
    isSuperuser: local.isSuperuser,
    superuserProblem,
    refusedCommands,
    lagSeconds,
    room,
  };
}

/** To promote this server, or to take a promotion back that failed. */
async function findRefusedCommands(context: CommandContext): Promise<readonly RefusedCommand[]> {
  const commands = (["promote", "stop", "start"] as const).flatMap((action) => {
    const command = configuredCommand(context.settings, action);
    return command === "" ? [] : [{ setting: `service_${action}_command`, command }];
  });
  const examined = await Promise.all(
    commands.map(({ setting, command }) => examineCommand(context, setting, command)),
  );
  return examined.flatMap(({ commandLine, sudo }) =>
    sudo === null || sudo.isAllowed ? [] : [{ command: commandLine, reason: sudo.reason }],
  );
}

/** As `node check --replication-lag` measures it. */
async function readLagSeconds(local: Database): Promise<number | null> {
  const [row] = await local.query<{ lag: number | null }>(
    `SELECT CASE WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN 0
                 ELSE COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp()
                                                  - pg_catalog.pg_last_xact_replay_timestamp()), 0)::int END AS lag`,
  );
  return row?.lag ?? null;
}

async function trySuperuser(context: CommandContext, user: string): Promise<Problem | null> {
  const message = `unable to connect to the local server as superuser "${user}"`;
  try {
    const database = await context.databases.connect(
      mergeConninfo(parseConninfo(context.settings.conninfo), new Map([["user", user]])),
    );
    void database.close();
    return database.isSuperuser ? null : { message: `user "${user}" is not a superuser` };
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { message, detail: error.message };
  }
}

const EXCLUSIVE_BACKUP_UNTIL = 150_000;

async function readPrimary(context: CommandContext, database: Database): Promise<PrimaryFacts> {
  const backup = database.serverVersion < EXCLUSIVE_BACKUP_UNTIL ? "pg_catalog.pg_is_in_backup()" : "false";
  const [row] = await database.query<{
    in_backup: boolean;
    archives: boolean;
    full_page_writes: boolean;
    wal_log_hints: boolean;
  }>(
    `SELECT ${backup} AS in_backup,
            pg_catalog.current_setting('archive_mode') <> 'off' AS archives,
            pg_catalog.current_setting('full_page_writes') = 'on' AS full_page_writes,
            pg_catalog.current_setting('wal_log_hints') = 'on' AS wal_log_hints`,
  );
  const hasHints = row?.wal_log_hints ?? false;
  return {
    majorVersion: Math.floor(database.serverVersion / 10_000),
    isInExclusiveBackup: row?.in_backup ?? true,
    archives: row?.archives ?? false,
    fullPageWrites: row?.full_page_writes ?? false,
    isRewindable: hasHints || (await hasChecksums(context)),
  };
}

async function hasChecksums({ processes, settings }: CommandContext): Promise<boolean> {
  const reading = await readControlFile(processes, {
    binDirectory: settings.pg_bindir,
    dataDirectory: settings.data_directory,
  });
  return reading.kind === "read" && reading.control.checksumVersion !== 0;
}

/** Configuration files inside the data directory, which pg_rewind would replace; none when this user may not see them. */
export async function listConfigFiles(database: Database): Promise<readonly string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT DISTINCT pg_catalog.substr(file, pg_catalog.length(d.setting) + 2) AS name
       FROM (SELECT sourcefile AS file FROM pg_catalog.pg_settings WHERE sourcefile IS NOT NULL
             UNION SELECT setting FROM pg_catalog.pg_settings WHERE name IN ('hba_file', 'ident_file')) AS files,
            pg_catalog.pg_settings d
      WHERE d.name = 'data_directory' AND pg_catalog.starts_with(file, d.setting || '/') ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}
