import { join } from "node:path";
import { describeHistories, judgeDivergence } from "../../../decide/divergence.js";
import type { RejoinFacts, WalRange } from "../../../decide/rejoin.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { formatLsn } from "../../../model/lsn.js";
import type { Database } from "../../../postgres/database.js";
import { runRewind, showRewindCommand, type RewindCommand } from "../../../postgres/rewind.js";
import { removeRewindMarker, writeRewindMarker, type RewindMarker } from "../../../postgres/rewind-marker.js";
import { readFileIfThere, removeFile, replaceFile } from "../../../system/directories.js";
import type { CommandContext } from "../../define-command.js";
import { archiveConfigFiles } from "./config-archive.js";
import { readControl, recoveryPointOf, type LocalServer } from "./gather-local.js";

export interface Rewind {
  readonly command: RewindCommand;
  readonly local: LocalServer;
  readonly facts: RejoinFacts;
  readonly targetDatabase: Database;
  readonly discards: WalRange | null;
  readonly archive: RewindMarker["archive"];
  readonly recloneCommand: string;
}

const SIGNAL_FILES = ["standby.signal", "recovery.signal"];

/** Throws UserError (code 24); the marker tells later runs whether files may have changed. */
export async function rewindDataDirectory(context: CommandContext, rewind: Rewind): Promise<void> {
  const { reporter, processes, settings } = context;
  const { local, archive, command } = rewind;
  // The copies of an interrupted run are the good ones: the files themselves may be the target's by now.
  if (archive !== null && local.marker === null) await archiveConfigFiles(context, archive);
  const hiddenSignals = await chooseHiddenSignals(context, local);
  await writeRewindMarker(settings.data_directory, {
    timeline: local.marker?.timeline ?? recoveryPointOf(local.control).timeline,
    checkpointLsn: local.marker?.checkpointLsn ?? local.control.checkpointLsn,
    archive,
    hiddenSignals,
  });
  await settleTimeline(context, rewind.targetDatabase);
  if (rewind.discards !== null) {
    reporter.warning("WAL that exists on this node only will be discarded", {
      detail: describeWalRange(rewind.discards),
    });
  }
  for (const name of hiddenSignals) await removeFile(join(settings.data_directory, name));
  reporter.notice("executing pg_rewind", { detail: `pg_rewind command is "${showRewindCommand(command)}"` });
  const outcome = await runRewind(processes, command);
  if (outcome.kind === "rewound") return;
  await putBack(context, hiddenSignals);
  if (outcome.kind === "not-needed") return confirmNotNeeded(context, rewind);
  const isWhole = !outcome.mayHaveChanged && local.marker === null;
  if (isWhole) await removeRewindMarker(settings.data_directory);
  throw failed(outcome.reason, rewind, isWhole);
}

/** Crash recovery in single-user mode refuses to run with these files; otherwise they stay where they are. */
async function chooseHiddenSignals(
  { settings }: CommandContext,
  { control, marker }: LocalServer,
): Promise<readonly string[]> {
  if (control.state === "shut down" || control.state === "shut down in recovery") {
    return marker?.hiddenSignals ?? [];
  }
  const present: string[] = [...(marker?.hiddenSignals ?? [])];
  for (const name of SIGNAL_FILES) {
    const text = await readFileIfThere(join(settings.data_directory, name), "utf8");
    if (text !== null && !present.includes(name)) present.push(name);
  }
  return present;
}

async function putBack({ settings }: CommandContext, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await replaceFile(join(settings.data_directory, name), Buffer.from("# created by repmgr\n"), 0o600);
  }
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
  const control = await readControl(context);
  const local = { ...rewind.facts.attach.local, ...recoveryPointOf(control) };
  const attach = { ...rewind.facts.attach, local };
  const isClean = control.state === "shut down" || control.state === "shut down in recovery";
  if (isClean && judgeDivergence(attach).kind === "can-attach") {
    reporter.info("pg_rewind found that no rewind is required");
    return;
  }
  throw failed(`pg_rewind says that no rewind is required, but\n${describeHistories(attach)}`, rewind, false);
}

function failed(reason: string, { archive, recloneCommand }: Rewind, isWhole: boolean): UserError {
  const kept =
    archive === null ? "" : `\nthe archived configuration files are kept in "${archive.directory}"`;
  const state = isWhole
    ? "the data directory was not changed"
    : "the data directory may be rewound in part: do not start its server";
  return new UserError(exitCodes.rejoinFailed, {
    message: "pg_rewind execution failed",
    detail: `${reason}\n${state}${kept}`,
    hint: `${isWhole ? "" : "repeat with --force-rewind to finish it; if that fails too, "}copy the target again: ${recloneCommand}`,
  });
}

/** `timeline 2 from 0/60000A0 to 0/7000098 (16777208 bytes)` */
export function describeWalRange({ timeline, from, to }: WalRange): string {
  const start = `timeline ${timeline} from ${formatLsn(from)}`;
  return to === null ? `${start} on` : `${start} to ${formatLsn(to)} (${to - from} bytes)`;
}
