import type { AttachPurpose } from "../decide/attach.js";
import {
  chooseDatabaseForSlots,
  decideRecoveryParameters,
  type RecoveryParameters,
} from "../decide/recovery-parameters.js";
import { buildStandbyConninfo } from "../decide/replication-configuration.js";
import { DatabaseError } from "../errors/database-error.js";
import { UserError } from "../errors/user-error.js";
import { parseConninfo } from "../model/conninfo.js";
import { formatLsn } from "../model/lsn.js";
import { describeNode, slotNameOf, type NodeRecord } from "../model/node-record.js";
import type { WalPosition } from "../model/wal-record.js";
import { ConnectionError } from "../postgres/connection-error.js";
import { eraseIncompleteRecord } from "../postgres/incomplete-record.js";
import { keepDbname, readPrimaryConninfo, writeRecoverySettings } from "../postgres/recovery-settings.js";
import { isSynchronisingSlots } from "../postgres/replication-slots.js";
import { isInRecovery, readAttachment } from "../postgres/server-state.js";
import {
  buildServerCommand,
  controlDirectory,
  runServerCommand,
  type ServerAction,
} from "../postgres/service-control.js";
import { describeFailure, systemCode } from "../system/directories.js";
import type { CommandContext } from "./define-command.js";
import { attachFailureCodes, type Participants } from "./gather-attachment.js";
import { dropOwnSlot } from "./own-slot.js";

const ATTACH_POLL_MS = 50;

/** What follow and rejoin write for a standby of `target`; reads what the data directory has now. */
export async function decideStandbyParameters(
  { settings, environment }: Pick<CommandContext, "settings" | "environment">,
  { own, target, targetDatabase }: Omit<Participants, "primaryDatabase">,
): Promise<RecoveryParameters> {
  const dbname = chooseDatabaseForSlots({
    serverVersion: targetDatabase.serverVersion,
    synchronisesSlots: await isSynchronisingSlots(targetDatabase),
    kept: (await readPrimaryConninfo(settings.data_directory))?.get("dbname") ?? null,
    upstreamDatabase: targetDatabase.conninfo.get("dbname") ?? "",
  });
  const conninfo = buildStandbyConninfo(
    {
      nodeName: settings.node_name,
      environmentPassword: settings.use_primary_conninfo_password
        ? (environment.variables["PGPASSWORD"] ?? null)
        : null,
      passfile: settings.passfile,
    },
    { record: target, conninfo: parseConninfo(target.conninfo), dbname },
  );
  const slotName = settings.use_replication_slots ? (own.slotName ?? slotNameOf(own.nodeId)) : null;
  return decideRecoveryParameters(conninfo, slotName, {
    recoveryMinApplyDelay:
      settings.recovery_min_apply_delay === "" ? null : settings.recovery_min_apply_delay,
    restoreCommand: settings.restore_command,
    archiveCleanupCommand: settings.archive_cleanup_command,
  });
}

/** What `discardIncompleteRecord` does, after "would". */
export function describeDiscardedRecord({ timeline, lsn }: WalPosition): string {
  return `discard the incomplete record at ${formatLsn(lsn)} of timeline ${timeline}, which goes on in a segment that is not here`;
}

/** For a server that is down. Throws UserError with the code of the purpose. */
export async function discardIncompleteRecord(
  { settings, reporter }: CommandContext,
  record: WalPosition,
  purpose: AttachPurpose,
): Promise<void> {
  reporter.notice(describeDiscardedRecord(record).replace("discard", "discarding"));
  try {
    await eraseIncompleteRecord(settings.data_directory, record);
  } catch (error) {
    if (systemCode(error) === null) throw error;
    throw new UserError(
      attachFailureCodes[purpose],
      { message: "unable to discard the incomplete record", detail: describeFailure(error) },
      error,
    );
  }
}

interface StandbyConfiguration {
  /** Of the upstream. */
  readonly serverVersion: number;
  readonly parameters: RecoveryParameters;
  readonly purpose: AttachPurpose;
}

/** Makes the data directory that of a standby. Throws UserError. */
export async function writeStandbyConfiguration(
  { settings }: Pick<CommandContext, "settings">,
  { serverVersion, parameters, purpose }: StandbyConfiguration,
): Promise<void> {
  const directory = settings.data_directory;
  try {
    await writeRecoverySettings(directory, await keepDbname(directory, serverVersion, parameters));
  } catch (error) {
    if (systemCode(error) === null) throw error;
    const message = `unable to write the replication configuration into "${directory}"`;
    throw new UserError(attachFailureCodes[purpose], { message, detail: describeFailure(error) }, error);
  }
}

interface FailedAction {
  readonly command: string;
  readonly reason: string;
}

/** Null when the command of the action succeeded. A stop returns when the server is down. */
export async function runServerAction(
  context: Pick<CommandContext, "processes" | "interrupted" | "reporter" | "settings">,
  action: ServerAction,
): Promise<FailedAction | null> {
  const { processes, interrupted, reporter, settings } = context;
  const command = buildServerCommand(settings, action, {
    directory: controlDirectory(settings),
    waits: true,
  });
  reporter.debug(`executing server command "${command}"`);
  const result = await runServerCommand(processes, command, interrupted);
  if (result.exitCode === 0) return null;
  interrupted.throwIfAborted();
  return { command, reason: result.stderr.trimEnd() || `exit status ${result.exitCode ?? "unknown"}` };
}

/** The reference believes in the attachment whether or not it ever comes; this one looks. Throws UserError. */
export async function awaitAttachment(
  { clock, interrupted, settings }: CommandContext,
  { own, target, targetDatabase }: Omit<Participants, "primaryDatabase">,
  limit: {
    readonly purpose: AttachPurpose;
    readonly setting: "standby_follow_timeout" | "node_rejoin_timeout";
  },
): Promise<void> {
  const timeoutMs = settings[limit.setting];
  const deadline = clock.monotonic() + timeoutMs;
  for (;;) {
    const { attached, state } = await readAttachment(targetDatabase, own.nodeName);
    if (attached && (state ?? "streaming") === "streaming") return;
    if (clock.monotonic() >= deadline) {
      const after = `after ${timeoutMs / 1000} seconds`;
      throw new UserError(attachFailureCodes[limit.purpose], {
        message: `this node did not attach to upstream node ${describeNode(target)}`,
        detail: attached
          ? `its state is "${state ?? "unknown"}" ${after}`
          : `"${own.nodeName}" is not in pg_stat_replication there ${after}`,
        hint: `see the log of this server for the reason; then repeat, or raise "${limit.setting}"`,
      });
    }
    await clock.sleep(ATTACH_POLL_MS, interrupted);
  }
}

/** Drops the slot of this node on a node that it no longer follows; when that is down the statement left to do is shown. */
export async function dropFormerSlot(
  context: CommandContext,
  name: string,
  upstream: NodeRecord,
): Promise<void> {
  const conninfo = parseConninfo(upstream.conninfo);
  try {
    const session = await context.databases.connect(conninfo, { signal: context.interrupted });
    // On a server that is being promoted or stopped the slot may be gone already; dropOwnSlot sees that.
    await isInRecovery(session).finally(() => session.close());
    await dropOwnSlot(context, conninfo, {
      name,
      creator: { method: "sql", user: null },
      nodeId: upstream.nodeId,
    });
  } catch (error) {
    if (!(error instanceof ConnectionError || error instanceof DatabaseError)) throw error;
    context.reporter.warning(
      `unable to connect to old upstream node ${upstream.nodeId} to remove replication slot`,
      {
        detail: error.message,
        hint: `when that node is back: SELECT pg_drop_replication_slot('${name}')`,
      },
    );
  }
}
