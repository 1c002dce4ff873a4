import { join } from "node:path";
import { describeHistories, judgeDivergence } from "../../../decide/divergence.js";
import type { RejoinFacts, WalRange } from "../../../decide/rejoin.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { announceEvent } from "../../../events/announce-event.js";
import { formatLsn } from "../../../model/lsn.js";
import { describeNode } from "../../../model/node-record.js";
import type { Database } from "../../../postgres/database.js";
import {
  copyControlFile,
  restoreControlFile,
  WRITES_CONTROL_LAST_SINCE,
} from "../../../postgres/control-file-copy.js";
import { barDataDirectory, unbarDataDirectory } from "../../../postgres/data-directory.js";
import { findNewestTimeline } from "../../../postgres/own-history.js";
import { recoverInIsolation } from "../../../postgres/isolated-recovery.js";
import { findLastConfigFile } from "../../../postgres/postmaster-file.js";
import { runRewind, showRewindCommand, type RewindCommand } from "../../../postgres/rewind.js";
import { removeRewindMarker, writeRewindMarker, type RewindMarker } from "../../../postgres/rewind-marker.js";
import { readFileIfThere, removeFile, replaceFile } from "../../../system/directories.js";
import type { CommandContext } from "../../define-command.js";
import { furthest } from "../../gather-attachment.js";
import { archiveConfigFiles } from "./config-archive.js";
import { isShutDownCleanly, readControl, recoveryPointOf, type LocalServer } from "./gather-local.js";

const SIGNAL_FILE = "standby.signal";

export interface Rewind {
  readonly command: RewindCommand;
  readonly local: LocalServer;
  readonly facts: RejoinFacts;
  readonly targetDatabase: Database;
  readonly discards: WalRange | null;
  readonly archive: RewindMarker["archive"];
  readonly recloneCommand: string;
}

/** Throws UserError (code 24); the marker tells later runs whether files may have changed. */
export async function rewindDataDirectory(context: CommandContext, rewind: Rewind): Promise<void> {
  const { reporter, processes, settings } = context;
  const { local, archive, command } = rewind;
  // The copies of an interrupted run are the good ones: the files themselves may be the target's by now.
  if (archive !== null && local.marker === null) await archiveConfigFiles(context, archive);
  const marker = await writeMarker(context, rewind);
  if (marker.needsRecovery) await recover(context, rewind, marker);
  await settleTimeline(context, rewind.targetDatabase);
  await recordDiscarded(context, rewind);
  await keepControlFile(settings.data_directory, local, marker);
  await barDataDirectory(settings.data_directory);
  reporter.notice("executing pg_rewind", { detail: `pg_rewind command is "${showRewindCommand(command)}"` });
  const outcome = await runRewind(processes, command);
  if (outcome.kind === "rewound") return;
  if (outcome.kind === "not-needed") return confirmNotNeeded(context, rewind);
  const isWhole = !outcome.mayHaveChanged && local.marker === null;
  if (isWhole) await giveUp(context, marker);
  throw failed(outcome.reason, rewind, { isWhole, isHopeless: !outcome.mayHaveChanged });
}

/** Before pg_rewind changes anything: when it is over, nobody can read any more what there was. */
async function recordDiscarded(context: CommandContext, { discards, ...rewind }: Rewind): Promise<void> {
  if (discards === null) return;
  const range = describeWalRange(discards);
  context.reporter.warning("WAL that exists on this node only will be discarded", { detail: range });
  const { own, target } = rewind.facts;
  await announceEvent(
    context,
    {
      event: "wal_discarded",
      nodeId: own.nodeId,
      successful: true,
      details: `only node ${describeNode(own)} has WAL of ${range}; node rejoin discards it`,
      subject: target.record,
    },
    rewind.targetDatabase,
  );
}

async function writeMarker(context: CommandContext, { local, archive }: Rewind): Promise<RewindMarker> {
  const directory = context.settings.data_directory;
  const { control } = local;
  const marker = {
    timeline: local.marker?.timeline ?? recoveryPointOf(control).timeline,
    checkpointLsn: local.marker?.checkpointLsn ?? control.checkpointLsn,
    archive,
    needsRecovery: local.marker?.needsRecovery ?? !isShutDownCleanly(control),
    madeSignal:
      local.marker?.madeSignal ?? (await readFileIfThere(join(directory, SIGNAL_FILE), "utf8")) === null,
    controlFile: local.marker?.controlFile ?? null,
  };
  await writeRewindMarker(directory, marker);
  return marker;
}

/** A pg_rewind that replaces pg_control first has to find the earlier one when it is run again. */
async function keepControlFile(directory: string, local: LocalServer, marker: RewindMarker): Promise<void> {
  if (marker.controlFile !== null) return restoreControlFile(directory, marker.controlFile);
  if (local.majorVersion >= WRITES_CONTROL_LAST_SINCE) return;
  const controlFile = await copyControlFile(directory);
  await writeRewindMarker(directory, { ...marker, needsRecovery: false, controlFile });
}

/** pg_rewind would recover in single-user mode, which refuses standbys and leaves a directory that starts as a primary. */
async function recover(context: CommandContext, rewind: Rewind, marker: RewindMarker): Promise<void> {
  const { reporter, processes, settings, interrupted } = context;
  const directory = settings.data_directory;
  const { control } = rewind.local;
  const timeline = await findNewestTimeline(directory, recoveryPointOf(control));
  reporter.notice("executing crash recovery", {
    detail: "as a standby that nobody can reach; it is stopped when it has replayed all of its WAL",
  });
  await replaceFile(join(directory, SIGNAL_FILE), Buffer.from("# created by repmgr\n"), 0o600);
  const outcome = await recoverInIsolation(processes, {
    binDirectory: rewind.local.binDirectory,
    dataDirectory: directory,
    configFile:
      settings.config_directory === ""
        ? await findLastConfigFile(directory)
        : join(settings.config_directory, "postgresql.conf"),
    majorVersion: rewind.local.majorVersion,
    timeline: timeline === control.timeline ? "current" : timeline,
    interrupted,
  });
  if (outcome.kind === "recovered") {
    await writeRewindMarker(directory, { ...marker, needsRecovery: false });
    return;
  }
  interrupted.throwIfAborted();
  throw new UserError(exitCodes.rejoinFailed, {
    message: "crash recovery failed",
    detail: outcome.reason,
    hint: `mend the cause and repeat with --force-rewind, or copy the target again: ${rewind.recloneCommand}`,
  });
}

/** Nothing was changed: the server is again what it was. */
async function giveUp({ settings }: CommandContext, marker: RewindMarker): Promise<void> {
  const directory = settings.data_directory;
  if (marker.needsRecovery && marker.madeSignal) await removeFile(join(directory, SIGNAL_FILE));
  await unbarDataDirectory(directory);
  await removeRewindMarker(directory);
}

/** Before its first checkpoint a promoted server still shows its old timeline, and pg_rewind would see no difference. */
async function settleTimeline({ reporter }: CommandContext, database: Database): Promise<void> {
  try {
    const [row] = await database.query<{ is_settled: boolean }>(
      `SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn())
              LIKE pg_catalog.lpad(pg_catalog.upper(pg_catalog.to_hex(timeline_id)), 8, '0') || '%' AS is_settled
         FROM pg_catalog.pg_control_checkpoint()`,
    );
    if (row?.is_settled === true) return;
    reporter.info("waiting for a checkpoint on the rejoin target: it was promoted a moment ago");
    await database.query("CHECKPOINT");
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    reporter.warning("unable to execute CHECKPOINT on the rejoin target", {
      detail: error.message,
      hint: 'execute it there as a superuser if pg_rewind says "no rewind required"',
    });
  }
}

async function confirmNotNeeded(context: CommandContext, rewind: Rewind): Promise<void> {
  const { reporter } = context;
  const control = await readControl(context, rewind.local.binDirectory);
  const judged = rewind.facts.attach.local;
  const point = recoveryPointOf(control);
  const lsn = point.timeline === judged.timeline ? furthest(judged.lsn, point.lsn) : point.lsn;
  const attach = { ...rewind.facts.attach, local: { ...judged, ...point, lsn } };
  if (isShutDownCleanly(control) && judgeDivergence(attach).kind === "can-attach") {
    reporter.info("pg_rewind found that no rewind is required");
    return;
  }
  throw failed(`pg_rewind says that no rewind is required, but\n${describeHistories(attach)}`, rewind, {
    isWhole: false,
    isHopeless: true,
  });
}

/** `isHopeless`: pg_rewind read what is there and refused, as it will again. */
function failed(
  reason: string,
  { archive, recloneCommand }: Rewind,
  { isWhole, isHopeless }: { readonly isWhole: boolean; readonly isHopeless: boolean },
): UserError {
  const kept =
    archive === null ? "" : `\nthe archived configuration files are kept in "${archive.directory}"`;
  const state = isWhole
    ? "the data directory was not changed"
    : "the data directory may be rewound in part: its server must not be started, and its mode keeps it from that";
  return new UserError(exitCodes.rejoinFailed, {
    message: "pg_rewind execution failed",
    detail: `${reason}\n${state}${kept}`,
    hint: `${isHopeless ? "" : "repeat with --force-rewind to finish it; if that fails too, "}copy the target again: ${recloneCommand}`,
  });
}

/** `timeline 2 from 0/60000A0 to 0/7000098 (16777208 bytes)` */
export function describeWalRange({ timeline, from, to }: WalRange): string {
  const start = `timeline ${timeline} from ${formatLsn(from)}`;
  return to === null ? `${start} on` : `${start} to ${formatLsn(to)} (${to - from} bytes)`;
}
