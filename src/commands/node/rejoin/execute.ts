import type { RejoinFacts, RejoinStep } from "../../../decide/rejoin.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { updateNode } from "../../../metadata/nodes.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import { readDataDirectoryState, unbarDataDirectory } from "../../../postgres/data-directory.js";
import { removeRewindMarker } from "../../../postgres/rewind-marker.js";
import { dropReplicationSlot, listPhysicalSlots } from "../../../postgres/replication-slots.js";
import { buildServerCommand, controlDirectory } from "../../../postgres/service-control.js";
import {
  awaitAttachment,
  discardIncompleteRecord,
  dropFormerSlot,
  runServerAction,
  writeStandbyConfiguration,
} from "../../attach-standby.js";
import { openDatabase } from "../../connect-local.js";
import type { CommandContext } from "../../define-command.js";
import type { Participants } from "../../gather-attachment.js";
import { createOwnSlot } from "../../own-slot.js";
import { removeArchive, restoreConfigFiles } from "./config-archive.js";
import { rewindDataDirectory, type Rewind } from "./rewind.js";

const START_POLL_MS = 100;

export interface Rejoining extends Participants, Omit<Rewind, "discards" | "targetDatabase"> {}

/** Carries out one step of the plan. Throws UserError. */
export async function carryOutRejoinStep(
  context: CommandContext,
  rejoining: Rejoining,
  step: RejoinStep,
): Promise<void> {
  const { own, target, targetDatabase, archive } = rejoining;
  switch (step.kind) {
    case "rewind":
      return rewindDataDirectory(context, { ...rejoining, discards: step.discards });
    case "restore-files":
      if (archive !== null) return restoreConfigFiles(context, archive);
      context.reporter.notice(`0 files copied to ${context.settings.data_directory}`);
      return;
    case "write-configuration":
      context.reporter.notice(`setting node ${own.nodeId}'s upstream to node ${target.nodeId}`);
      await writeStandbyConfiguration(context, {
        serverVersion: targetDatabase.serverVersion,
        parameters: step.parameters,
        purpose: "rejoin",
      });
      // Only now it is safe to start the server: as a standby, with its own configuration.
      await unbarDataDirectory(context.settings.data_directory);
      await removeRewindMarker(context.settings.data_directory);
      if (archive !== null) await removeArchive(archive);
      return;
    case "discard-incomplete-record":
      return discardIncompleteRecord(context, step.record, "rejoin");
    case "start-server":
      return startServer(context);
    default:
      return carryOutAttachingStep(context, rejoining, step);
  }
}

interface Attaching extends Participants {
  readonly facts: Pick<RejoinFacts, "target">;
}

/** Those that need nothing of the stopped server. Throws UserError. */
export async function carryOutAttachingStep(
  context: CommandContext,
  attaching: Attaching,
  step: RejoinStep,
): Promise<void> {
  const { own, primaryDatabase } = attaching;
  switch (step.kind) {
    case "create-slot":
      return createSlot(context, attaching, step);
    case "record-upstream":
      await updateNode(primaryDatabase, step.record);
      return;
    case "await-attachment":
      await awaitStart(context);
      return awaitAttachment(context, attaching, { purpose: "rejoin", setting: "node_rejoin_timeout" });
    case "drop-local-slot":
      return dropLocalSlot(context, own.nodeId, step.name);
    case "drop-former-slot":
      return dropFormerSlot(context, step.name, step.upstream);
    default:
      throw new RangeError(`step "${step.kind}" needs a stopped server`);
  }
}

async function createSlot(
  context: CommandContext,
  { facts }: Attaching,
  slot: Extract<RejoinStep, { readonly kind: "create-slot" }>,
): Promise<void> {
  try {
    await createOwnSlot(context, facts.target.conninfo, slot);
  } catch (error) {
    if (!(error instanceof DatabaseError || error instanceof ConnectionError)) throw error;
    throw new UserError(
      exitCodes.rejoinFailed,
      { message: `unable to create replication slot "${slot.name}"`, detail: error.message },
      error,
    );
  }
}

async function startServer(context: CommandContext): Promise<void> {
  const { settings, reporter } = context;
  const command = buildServerCommand(settings, "start", { directory: controlDirectory(settings) });
  reporter.notice(`starting server using "${command}"`);
  const failure = await runServerAction(context, "start");
  if (failure === null || (await isServerThere(settings.data_directory))) return;
  throw new UserError(exitCodes.noRestart, {
    message: "unable to start the server",
    detail: failure.reason,
    hint: "it is configured as a standby: see its log, mend the cause and start it",
  });
}

/** The command of a run that was killed a moment ago may have started it meanwhile. */
async function isServerThere(dataDirectory: string): Promise<boolean> {
  const state = await readDataDirectoryState(dataDirectory);
  return state.kind === "directory" && typeof state.serverPid === "number";
}

/** A service command may return before the server accepts connections; the attachment has its own time after that. */
export async function awaitStart({
  clock,
  databases,
  settings,
  interrupted,
  reporter,
}: CommandContext): Promise<void> {
  const conninfo = parseConninfo(settings.conninfo);
  const deadline = clock.monotonic() + settings.standby_reconnect_timeout;
  while ((await databases.ping(conninfo)) !== "accepting") {
    if (clock.monotonic() >= deadline) {
      reporter.warning("this server does not accept connections yet", {
        detail: `waited ${settings.standby_reconnect_timeout / 1000} seconds ("standby_reconnect_timeout")`,
      });
      return;
    }
    await clock.sleep(START_POLL_MS, interrupted);
  }
}

/** The slot through which the new primary streamed from this node; slots of others are named and left alone. */
async function dropLocalSlot(context: CommandContext, ownId: number, name: string | null): Promise<void> {
  const { reporter, settings } = context;
  try {
    const local = await openDatabase(context, parseConninfo(settings.conninfo));
    const unused = (await listPhysicalSlots(local)).filter(({ isActive }) => !isActive);
    const others = unused.filter((slot) => slot.name !== name);
    if (name !== null && others.length < unused.length) {
      await dropReplicationSlot({ method: "sql", database: local }, name);
      reporter.notice(`replication slot "${name}" deleted on node ${ownId}`);
    }
    if (others.length === 0) return;
    reporter.warning(`${others.length} inactive replication slots detected`, {
      detail: ["inactive replication slots:", ...others.map((slot) => `  - ${slot.name} (physical)`)].join(
        "\n",
      ),
      hint: "these replication slots may need to be removed manually",
    });
  } catch (error) {
    if (!(error instanceof DatabaseError || error instanceof ConnectionError)) throw error;
    reporter.warning("unable to look for replication slots that are left on this node", {
      detail: error.message,
    });
  }
}
