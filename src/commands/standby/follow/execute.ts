import type { FollowFacts, FollowStep } from "../../../decide/follow.js";
import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { updateNode } from "../../../metadata/nodes.js";
import { parseConninfo } from "../../../model/conninfo.js";
import { readDataDirectoryState } from "../../../postgres/data-directory.js";
import { buildServerCommand, configuredCommand } from "../../../postgres/service-control.js";
import {
  awaitAttachment,
  discardIncompleteRecord,
  dropFormerSlot,
  runServerAction,
  writeStandbyConfiguration,
} from "../../attach-standby.js";
import type { CommandContext } from "../../define-command.js";
import type { Participants } from "../../gather-attachment.js";
import { createOwnSlot } from "../../own-slot.js";

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
      return writeStandbyConfiguration(context, {
        serverVersion: targetDatabase.serverVersion,
        parameters: step.parameters,
        purpose: "follow",
      });
    case "apply-configuration":
      return applyConfiguration(context, step.by);
    case "discard-incomplete-record":
      await changeServer(context, "stop");
      return discardIncompleteRecord(context, step.record, "follow");
    case "record-upstream":
      await updateNode(primaryDatabase, step.record);
      return;
    case "await-attachment":
      return awaitAttachment(context, following, {
        purpose: "follow",
        setting: "standby_follow_timeout",
      });
    case "drop-former-slot":
      return dropFormerSlot(context, step.name, step.upstream);
  }
}

const SHUTDOWN_POLL_MS = 100;

const gerunds = { stop: "stopping", start: "starting", restart: "restarting" } as const;

/** A reload is enough since PostgreSQL 13; where it fails the server is restarted, as the reference does. */
async function applyConfiguration(
  context: CommandContext,
  by: Extract<FollowStep, { readonly kind: "apply-configuration" }>["by"],
): Promise<void> {
  if (by === "start") return changeServer(context, "start");
  const { settings, reporter } = context;
  if (by === "reload") {
    const failure = await runServerAction(context, "reload");
    if (failure === null) return;
    reporter.warning("unable to reload the server's configuration, restarting it instead", {
      detail: failure.reason,
    });
  }
  const actions =
    configuredCommand(settings, "restart") === "" ? (["stop", "start"] as const) : (["restart"] as const);
  for (const action of actions) await changeServer(context, action);
}

async function changeServer(context: CommandContext, action: keyof typeof gerunds): Promise<void> {
  const { settings, reporter } = context;
  const command = buildServerCommand(settings, action, { directory: settings.data_directory, waits: true });
  reporter.notice(`${gerunds[action]} server using "${command}"`);
  const failure = await runServerAction(context, action);
  if (failure === null) return;
  throw new UserError(exitCodes.noRestart, {
    message: "unable to restart the server",
    detail: `${failure.command}: ${failure.reason}`,
    hint: "the new configuration is written; restart the server by hand",
  });
}

/** A run that was cut off between the two halves of a restart has left a standby that is down. Throws UserError. */
export async function startStoppedStandby(context: CommandContext): Promise<void> {
  const { settings, databases, clock, interrupted } = context;
  const deadline = clock.monotonic() + settings.shutdown_check_timeout;
  while ((await databases.ping(parseConninfo(settings.conninfo))) !== "accepting") {
    const state = await readDataDirectoryState(settings.data_directory);
    if (state.kind !== "directory" || !state.entries.includes("standby.signal")) return;
    if (state.serverPid === null) return changeServer(context, "start");
    if (clock.monotonic() > deadline) return;
    await clock.sleep(SHUTDOWN_POLL_MS, interrupted);
  }
}
