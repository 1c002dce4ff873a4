import type { FollowFacts, FollowStep } from "../../../decide/follow.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { updateNode } from "../../../metadata/nodes.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { describeNode, type NodeRecord } from "../../../model/node-record.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import { writeRecoverySettings } from "../../../postgres/recovery-settings.js";
import { isInRecovery, readAttachment } from "../../../postgres/server-state.js";
import {
  buildServerCommand,
  configuredCommand,
  runServerCommand,
} from "../../../postgres/service-control.js";
import { describeFailure, systemCode } from "../../../system/directories.js";
import type { CommandContext } from "../../define-command.js";
import { keepDbname } from "../clone/execute.js";
import { createOwnSlot, dropOwnSlot } from "../clone/own-slot.js";
import type { Participants } from "./gather.js";

const ATTACH_POLL_MS = 50;

interface Following extends Participants {
  readonly facts: FollowFacts;
}

/** Carries out one step of the plan. Throws UserError. */
export async function carryOutFollowStep(
  context: CommandContext,
  following: Following,
  step: FollowStep,
): Promise<void> {
  const { target, targetDatabase, primaryDatabase, own } = following;
  switch (step.kind) {
    case "create-slot":
      await createOwnSlot(context, following.facts.target.conninfo, {
        name: step.name,
        creator: step.creator,
      });
      return;
    case "write-configuration":
      context.reporter.notice(`setting node ${own.nodeId}'s upstream to node ${target.nodeId}`);
      return writeConfiguration(context, targetDatabase.serverVersion, step.parameters);
    case "apply-configuration":
      return applyConfiguration(context, step.by);
    case "record-upstream":
      await updateNode(primaryDatabase, step.record);
      return;
    case "await-attachment":
      return awaitAttachment(context, following);
    case "drop-former-slot":
      return dropFormerSlot(context, step.name, step.upstream);
  }
}

async function writeConfiguration(
  { settings }: CommandContext,
  serverVersion: number,
  parameters: ReadonlyMap<string, string>,
): Promise<void> {
  const directory = settings.data_directory;
  try {
    await writeRecoverySettings(directory, await keepDbname(directory, serverVersion, parameters));
  } catch (error) {
    if (systemCode(error) === null) throw error;
    const message = `unable to write the replication configuration into "${directory}"`;
    throw new UserError(exitCodes.followFailed, { message, detail: describeFailure(error) }, error);
  }
}

/** A reload is enough since PostgreSQL 13; where it fails the server is restarted, as the reference does. */
async function applyConfiguration(context: CommandContext, by: "reload" | "restart"): Promise<void> {
  const { settings, reporter } = context;
  const directory = settings.data_directory;
  if (by === "reload") {
    const failure = await runAction(context, buildServerCommand(settings, "reload", { directory }));
    if (failure === null) return;
    reporter.warning("unable to reload the server's configuration, restarting it instead", {
      detail: failure,
    });
  }
  const commands =
    configuredCommand(settings, "restart") === ""
      ? [
          buildServerCommand(settings, "stop", { directory, waits: true }),
          buildServerCommand(settings, "start", { directory }),
        ]
      : [buildServerCommand(settings, "restart", { directory })];
  for (const command of commands) {
    const failure = await runAction(context, command);
    if (failure === null) continue;
    throw new UserError(exitCodes.noRestart, {
      message: "unable to restart the server",
      detail: `${command}: ${failure}`,
      hint: "the new configuration is written; restart the server by hand",
    });
  }
}

async function runAction(
  { processes, interrupted, reporter }: CommandContext,
  command: string,
): Promise<string | null> {
  reporter.debug(`executing server command "${command}"`);
  const result = await runServerCommand(processes, command, interrupted);
  if (result.exitCode === 0) return null;
  return result.stderr.trimEnd() || `exit status ${result.exitCode ?? "unknown"}`;
}

/** The reference calls a follow successful whether or not the standby ever attaches; this one looks. */
async function awaitAttachment(
  context: CommandContext,
  { own, target, targetDatabase }: Following,
): Promise<void> {
  const { clock, interrupted, settings } = context;
  const deadline = clock.monotonic() + settings.standby_follow_timeout;
  for (;;) {
    const { attached, state } = await readAttachment(targetDatabase, own.nodeName);
    if (attached && (state ?? "streaming") === "streaming") return;
    if (clock.monotonic() >= deadline) {
      throw new UserError(exitCodes.followFailed, {
        message: `this node did not attach to upstream node ${describeNode(target)}`,
        detail: attached
          ? `its state is "${state ?? "unknown"}" after ${settings.standby_follow_timeout / 1000} seconds`
          : `"${own.nodeName}" is not in pg_stat_replication there after ${settings.standby_follow_timeout / 1000} seconds`,
        hint: 'see the log of this server for the reason; then repeat, or raise "standby_follow_timeout"',
      });
    }
    await clock.sleep(ATTACH_POLL_MS, interrupted);
  }
}

async function dropFormerSlot(context: CommandContext, name: string, upstream: NodeRecord): Promise<void> {
  const conninfo = parseConninfo(upstream.conninfo);
  try {
    const session = await context.databases.connect(conninfo, { signal: context.interrupted });
    // On a server that is being promoted or stopped the slot may be gone already; dropOwnSlot sees that.
    await isInRecovery(session).finally(() => session.close());
    await dropOwnSlot(context, conninfo, { name, creator: { method: "sql", user: null } });
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
