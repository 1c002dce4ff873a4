import { join } from "node:path";
import {
  judgeUnfinishedRewind,
  type LocalStateFacts,
  type UnfinishedRewind,
} from "../../../decide/rejoin-state.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { parseConninfo } from "../../../model/conninfo.js";
import type { Lsn } from "../../../model/lsn.js";
import { parseTimelineHistory, type TimelineHistory } from "../../../model/timeline.js";
import {
  readControlFile,
  type ControlFile,
  type ControlFileReading,
} from "../../../postgres/control-file.js";
import { readControlFileCopy } from "../../../postgres/control-file-copy.js";
import { isDataDirectoryBarred, readDataDirectoryState } from "../../../postgres/data-directory.js";
import { findProgramDirectory } from "../../../postgres/program-directory.js";
import { readRewindMarker, type FoundRewindMarker } from "../../../postgres/rewind-marker.js";
import { readFileIfThere } from "../../../system/directories.js";
import { findProcessesOf } from "../../../system/process-table.js";
import type { CommandContext } from "../../define-command.js";

/** What the data directory tells while its server is down. */
export interface LocalServer {
  readonly control: ControlFile;
  readonly majorVersion: number;
  /** Of pg_rewind and the others; empty for the PATH. */
  readonly binDirectory: string;
  /** Of an earlier rewind that is still of importance. */
  readonly marker: FoundRewindMarker | null;
  readonly unfinishedRewind: UnfinishedRewind | null;
  readonly state: LocalStateFacts;
}

/** Throws UserError (code 1) when the data directory cannot be read. */
export async function gatherLocalServer(context: CommandContext): Promise<LocalServer> {
  const { settings, databases } = context;
  const dataDirectory = settings.data_directory;
  const marker = await readRewindMarker(dataDirectory);
  if (marker !== null && marker.programPid === null) await awaitOrphans(context);
  const directory = await readDataDirectoryState(dataDirectory);
  const majorVersion = Number.parseInt(
    (await readFileIfThere(join(dataDirectory, "PG_VERSION"), "utf8")) ?? "",
    10,
  );
  if (directory.kind !== "directory" || Number.isNaN(majorVersion)) {
    throw new UserError(exitCodes.badConfiguration, {
      message: `data directory "${dataDirectory}" does not contain a PostgreSQL instance`,
      hint: 'check "data_directory" in repmgr.conf',
    });
  }
  const hasBackupLabel = directory.entries.includes("backup_label");
  const binDirectory = await findPrograms(context);
  const { control, unfinishedRewind } =
    marker === null
      ? { control: await readControl(context, binDirectory), unfinishedRewind: null }
      : await readControlAfter(context, { marker, hasBackupLabel, binDirectory });
  const ping = await databases.ping(parseConninfo(settings.conninfo));
  return {
    control,
    majorVersion,
    binDirectory,
    marker: unfinishedRewind === null ? null : marker,
    unfinishedRewind,
    state: {
      isServerUp: directory.serverPid !== null || ping === "accepting" || ping === "rejecting",
      isLockFileUnclear: directory.serverPid === "unknown",
      isStandby: directory.entries.includes("standby.signal"),
      state: control.state,
      majorVersion,
      unfinishedRewind,
      otherRunPid: marker?.programPid ?? null,
      dataDirectory,
    },
  };
}

/** After an interrupted rewind that may have replaced pg_control, it is what it was before. */
async function readControlAfter(
  context: CommandContext,
  {
    marker,
    hasBackupLabel,
    binDirectory,
  }: {
    readonly marker: FoundRewindMarker;
    readonly hasBackupLabel: boolean;
    readonly binDirectory: string;
  },
): Promise<Pick<LocalServer, "control" | "unfinishedRewind">> {
  const { processes, settings } = context;
  const place = { binDirectory, dataDirectory: settings.data_directory };
  const copy = (await isDataDirectoryBarred(place.dataDirectory)) ? marker.controlFile : null;
  const found = await readControlFile(processes, place);
  const unfinishedRewind =
    found.kind === "unreadable"
      ? "interrupted"
      : judgeUnfinishedRewind(marker, {
          ...found.control,
          hasBackupLabel,
          mayHaveForeignControl: copy !== null,
        });
  const isForeign = copy !== null && unfinishedRewind === "interrupted";
  const reading = isForeign ? await readControlFileCopy(processes, { ...place, copy }) : found;
  return { control: requireControl(context, reading), unfinishedRewind };
}

const ORPHAN_TIMEOUT_MS = 10_000;
const ORPHAN_POLL_MS = 50;

/** What a killed run started ends with it, but not at once. */
async function awaitOrphans({ clock, settings, interrupted }: CommandContext): Promise<void> {
  const path = settings.data_directory;
  const deadline = clock.monotonic() + ORPHAN_TIMEOUT_MS;
  while (clock.monotonic() < deadline) {
    const rewinds = await findProcessesOf("pg_rewind", path);
    const directory = await readDataDirectoryState(path);
    if (rewinds.length === 0 && !(directory.kind === "directory" && directory.serverPid !== null)) return;
    await clock.sleep(ORPHAN_POLL_MS, interrupted);
  }
}

const findPrograms = ({ settings, environment }: CommandContext): Promise<string> =>
  findProgramDirectory({
    configured: settings.pg_bindir,
    dataDirectory: settings.data_directory,
    searchPath: environment.variables["PATH"] ?? "",
  });

/** Throws UserError (code 1). */
export async function readControl(context: CommandContext, binDirectory: string): Promise<ControlFile> {
  const { processes, settings } = context;
  const reading = await readControlFile(processes, {
    binDirectory,
    dataDirectory: settings.data_directory,
  });
  return requireControl(context, reading);
}

function requireControl(
  { settings }: Pick<CommandContext, "settings">,
  reading: ControlFileReading,
): ControlFile {
  if (reading.kind === "read") return reading.control;
  throw new UserError(exitCodes.badConfiguration, {
    message: `unable to read pg_control in "${settings.data_directory}"`,
    detail: reading.reason,
    hint: 'check "data_directory" and "pg_bindir" in repmgr.conf',
  });
}

export function isShutDownCleanly({ state }: Pick<ControlFile, "state">): boolean {
  return state === "shut down" || state === "shut down in recovery";
}

/** How far the stopped server has come: what it replayed last as a standby, its last checkpoint as a primary. */
export function recoveryPointOf(control: ControlFile): { readonly timeline: number; readonly lsn: Lsn } {
  return control.minimumRecoveryLsn > 0n
    ? { timeline: control.minimumRecoveryTimeline, lsn: control.minimumRecoveryLsn }
    : { timeline: control.timeline, lsn: control.checkpointLsn };
}

/**
 * Where to begin to read the WAL of `timeline`, the last one of the stopped server: its last checkpoint or restart point
 * is there only unless the timeline began after that.
 */
export function firstRecordKnown(
  control: ControlFile,
  { timeline, history }: { readonly timeline: number; readonly history: TimelineHistory | null },
): Lsn {
  if (timeline === control.timeline) return control.checkpointLsn;
  return history?.at(-1)?.end ?? recoveryPointOf(control).lsn;
}

/** From pg_wal; null when the file is missing or damaged. */
export async function readLocalHistory(
  { settings }: Pick<CommandContext, "settings">,
  timeline: number,
): Promise<TimelineHistory | null> {
  if (timeline === 1) return [];
  const name = `${timeline.toString(16).toUpperCase().padStart(8, "0")}.history`;
  const text = await readFileIfThere(join(settings.data_directory, "pg_wal", name), "utf8");
  if (text === null) return null;
  try {
    return parseTimelineHistory(text);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
