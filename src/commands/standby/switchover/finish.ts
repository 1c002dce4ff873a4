import { exitCodes } from "../../../errors/exit-codes.js";
import { UserError } from "../../../errors/user-error.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { formatConninfo, parseConninfo } from "../../../model/conninfo.js";
import { describeNode, type NodeRecord } from "../../../model/node-record.js";
import type { Problem } from "../../../model/problem.js";
import { childEnvironment } from "../../../postgres/child-environment.js";
import { ConnectionError } from "../../../postgres/connection-error.js";
import type { Database } from "../../../postgres/database.js";
import { dropReplicationSlot, listPhysicalSlots } from "../../../postgres/replication-slots.js";
import { isInRecovery, readAttachment } from "../../../postgres/server-state.js";
import { quoteForShell } from "../../../postgres/service-control.js";
import type { CommandContext } from "../../define-command.js";
import { quoteRemoteOutput, reachProgram } from "../../remote-program.js";
import { letSiblingsFollow } from "../../remote-siblings.js";
import { stepOf, type Switchover } from "./switchover.js";

const POLL_MS = 20;

interface Promoted {
  /** A session on the new primary. */
  readonly database: Database;
  /** This node did not get the last WAL of the old primary. */
  readonly isBehind: boolean;
}

/**
 * Everything after the promotion: the old primary and the siblings at the same time. None of it can harm the new
 * primary, so each failure is recorded with the command that is left to run. Returns these problems.
 */
export async function attachEverybody(
  context: CommandContext,
  switchover: Switchover,
  promoted: Promoted,
): Promise<readonly Problem[]> {
  const { own } = switchover;
  const follow = stepOf(switchover, "follow");
  const rejoining = rejoinFormerPrimary(context, switchover, promoted);
  const [rejoinProblem, followed] = await Promise.all([
    rejoining,
    follow === null ? [] : letSiblingsFollow(context, { primary: own, others: rejoining }, follow.siblings),
  ]);
  const left = followed.flatMap(({ record, issue }): readonly Problem[] =>
    issue === null
      ? []
      : [
          {
            message: `node ${describeNode(record)} does not follow the new primary`,
            hint: `on that node: ${issue.command}`,
          },
        ],
  );
  const stayed = followed.filter(({ issue }) => issue !== null).map(({ record }) => record.slotName);
  const names = (stepOf(switchover, "drop-slots")?.names ?? []).filter((name) => !stayed.includes(name));
  if (rejoinProblem === null) await dropSlotsThere(context, switchover.primary, names);
  return [...(rejoinProblem === null ? [] : [rejoinProblem]), ...left];
}

async function rejoinFormerPrimary(
  context: CommandContext,
  switchover: Switchover,
  promoted: Promoted,
): Promise<Problem | null> {
  const { reporter, environment } = context;
  const { own, primary } = switchover;
  const target = childEnvironment(parseConninfo(own.conninfo));
  const args = buildRejoin(switchover, promoted, formatConninfo(target.conninfo));
  const command = `${environment.programName} -f ${primary.configFile} ${args.map(quoteWord).join(" ")}`;
  const failed = (detail: string): Problem => ({
    message: `node ${describeNode(primary)} is not attached to the new primary`,
    detail,
    hint: `on that node: ${command}`,
  });
  try {
    switch (await findRole(context, primary)) {
      case "primary":
        return {
          message: `the old primary ${describeNode(primary)} is running as a primary`,
          detail: "each of the two accepts writes that the other will not receive",
          hint: `stop it at once; then, on that node: ${command}`,
        };
      case "standby":
        break;
      case "down": {
        if (promoted.isBehind) await checkpoint(context, promoted.database);
        reporter.notice(`executing NODE REJOIN on node ${describeNode(primary)}`);
        const password = target.env["PGPASSWORD"];
        const there = await reachProgram(context, primary);
        const result = await there.run(args, password === undefined ? {} : { password });
        if (result.exitCode === 0) break;
        // A run that was cut off may have left its own there, which is at it still.
        if (result.exitCode === exitCodes.rejoinFailed && (await findRole(context, primary)) !== "down")
          break;
        return failed(quoteRemoteOutput(result));
      }
    }
    const problem = await awaitAttached(context, promoted.database, primary);
    if (problem !== null) return failed(problem);
    reporter.notice("NODE REJOIN successful", {
      detail: `node ${primary.nodeId} is now attached to node ${own.nodeId}`,
    });
    return null;
  } catch (error) {
    if (error instanceof UserError || error instanceof DatabaseError) return failed(error.message);
    throw error;
  }
}

const quoteWord = (word: string): string => (/^[\w=./,-]+$/.test(word) ? word : quoteForShell(word));

/**
 * A node that has nothing more than this one needs no pg_rewind, for which repmgr on that host would take its slots away,
 * also from standbys that stay below it. A run that was cut off did not leave word of it.
 */
function buildRejoin(
  { trace, rules, progress }: Switchover,
  { isBehind }: Promoted,
  conninfo: string,
): readonly string[] {
  const { configFiles } = trace;
  const path = rules.rewindProgram;
  const mayDiverge = isBehind || progress !== "not-begun";
  const rewind =
    rules.forceRewind && mayDiverge
      ? [
          path === null ? "--force-rewind" : `--force-rewind=${path}`,
          ...(configFiles.length === 0 ? [] : [`--config-files=${configFiles.join(",")}`]),
        ]
      : [];
  return ["node", "rejoin", "-d", conninfo, "--no-wait", ...rewind];
}

/** A server that is starting up was started by somebody, and is awaited. */
async function findRole(
  { databases, clock, settings }: CommandContext,
  { conninfo }: NodeRecord,
): Promise<"primary" | "standby" | "down"> {
  const deadline = clock.monotonic() + settings.standby_reconnect_timeout;
  for (;;) {
    try {
      const database = await databases.connect(parseConninfo(conninfo));
      return await isInRecovery(database)
        .then((inRecovery) => (inRecovery ? ("standby" as const) : ("primary" as const)))
        .finally(() => database.close());
    } catch (error) {
      if (!(error instanceof ConnectionError || error instanceof DatabaseError)) throw error;
      const isStarting = error instanceof ConnectionError && error.kind === "starting-up";
      if (!isStarting || clock.monotonic() >= deadline) return "down";
    }
    await clock.sleep(POLL_MS);
  }
}

/** Null once it streams; otherwise what was seen last. */
async function awaitAttached(
  { clock, settings }: CommandContext,
  database: Database,
  { nodeName }: NodeRecord,
): Promise<string | null> {
  const timeoutMs = settings.standby_reconnect_timeout;
  const deadline = clock.monotonic() + timeoutMs;
  for (;;) {
    const { attached, state } = await readAttachment(database, nodeName);
    if (attached && (state ?? "streaming") === "streaming") return null;
    if (clock.monotonic() >= deadline) {
      return attached
        ? `its state is "${state ?? "unknown"}" after ${timeoutMs / 1000} seconds`
        : `it is not in pg_stat_replication after ${timeoutMs / 1000} seconds ("standby_reconnect_timeout")`;
    }
    await clock.sleep(POLL_MS);
  }
}

/** Until its next checkpoint the control file of the new primary shows the old timeline, which misleads pg_rewind before 16. */
async function checkpoint({ reporter }: CommandContext, database: Database): Promise<void> {
  try {
    await database.query("CHECKPOINT");
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    reporter.warning("unable to issue a CHECKPOINT on the new primary", { detail: error.message });
  }
}

/** The slots of the standbys that left it would keep WAL on the old primary for ever. */
async function dropSlotsThere(
  { databases, reporter }: CommandContext,
  primary: NodeRecord,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  try {
    const database = await databases.connect(parseConninfo(primary.conninfo));
    try {
      for (const { name, isActive } of await listPhysicalSlots(database)) {
        if (isActive || !names.includes(name)) continue;
        await dropReplicationSlot({ method: "sql", database }, name);
        reporter.debug(`replication slot "${name}" dropped on node ${describeNode(primary)}`);
      }
    } finally {
      await database.close();
    }
  } catch (error) {
    if (!(error instanceof ConnectionError || error instanceof DatabaseError)) throw error;
    reporter.warning(`unable to drop replication slots on node ${describeNode(primary)}`, {
      detail: error.message,
      hint: `unless they are gone, execute there: ${names.map((name) => `SELECT pg_drop_replication_slot('${name}')`).join("; ")}`,
    });
  }
}
