import type { SiblingFacts } from "../decide/siblings.js";
import { DatabaseError } from "../errors/database-error.js";
import { UserError } from "../errors/user-error.js";
import { formatConninfo, parseConninfo } from "../model/conninfo.js";
import { describeNode, type NodeRecord } from "../model/node-record.js";
import { childEnvironment } from "../postgres/child-environment.js";
import { ConnectionError } from "../postgres/connection-error.js";
import type { CommandContext } from "./define-command.js";
import { problemOf, quoteRemoteOutput, reachProgram } from "./remote-program.js";

/** Looks for the program on the hosts of all siblings at once. */
export function reachSiblings(
  context: CommandContext,
  siblings: readonly NodeRecord[],
): Promise<readonly SiblingFacts[]> {
  return Promise.all(
    siblings.map(async (record): Promise<SiblingFacts> => {
      try {
        await reachProgram(context, record);
        return { record, problem: null };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { record, problem: problemOf(error) };
      }
    }),
  );
}

export interface FollowOutcome {
  readonly record: NodeRecord;
  /** What is left to do; null when the node follows. */
  readonly issue: { readonly reason: string; readonly command: string } | null;
}

/**
 * Lets all siblings stream from the new primary, at the same time; a failure is a value and shown as a WARNING. A witness
 * copies the records as they are, so it comes after all that `others` and the standbys write.
 */
export async function letSiblingsFollow(
  context: CommandContext,
  { primary, others }: { readonly primary: NodeRecord; readonly others?: Promise<unknown> },
  siblings: readonly NodeRecord[],
): Promise<readonly FollowOutcome[]> {
  const { reporter } = context;
  reporter.notice("executing STANDBY FOLLOW on " + `${siblings.length} of ${siblings.length} siblings`);
  const followAll = (records: readonly NodeRecord[]): Promise<readonly FollowOutcome[]> =>
    Promise.all(
      records.map(async (record): Promise<FollowOutcome> => {
        const words = await followWords(context, primary, record);
        const reason = await runThere(context, { record, ...words });
        if (reason === null) return { record, issue: null };
        const command = `${context.environment.programName} -f ${record.configFile} ${words.args.join(" ")}`;
        reporter.warning(`node ${describeNode(record)} does not follow the new primary`, {
          detail: reason,
          hint: `execute on that node: ${command}`,
        });
        return { record, issue: { reason, command } };
      }),
    );
  const isWitness = ({ type }: NodeRecord): boolean => type === "witness";
  const standbys = await followAll(siblings.filter((record) => !isWitness(record)));
  await others;
  const outcomes = [...standbys, ...(await followAll(siblings.filter(isWitness)))];
  const followed = outcomes.filter(({ issue }) => issue === null);
  const sentence = `STANDBY FOLLOW successfully executed on ${
    followed.length === outcomes.length ? "all reachable sibling nodes" : `${followed.length} sibling nodes`
  }`;
  if (followed.length > 0) reporter.info(sentence);
  return outcomes;
}

interface RemoteWords {
  readonly args: readonly string[];
  readonly password: string | undefined;
}

async function followWords(
  context: CommandContext,
  primary: NodeRecord,
  sibling: NodeRecord,
): Promise<RemoteWords> {
  if (sibling.type !== "witness") return { args: ["standby", "follow"], password: undefined };
  await notifyWitness(context, primary, sibling);
  const { conninfo, env } = childEnvironment(parseConninfo(primary.conninfo));
  const args = ["witness", "register", "-d", formatConninfo(conninfo), "--force"];
  return { args, password: env["PGPASSWORD"] };
}

/** Null when the program there succeeded. */
async function runThere(
  context: CommandContext,
  { record, args, password }: RemoteWords & { readonly record: NodeRecord },
): Promise<string | null> {
  try {
    const there = await reachProgram(context, record);
    const result = await there.run(args, password === undefined ? {} : { password });
    return result.exitCode === 0 ? null : quoteRemoteOutput(result);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

/** The reference's daemon on a witness learns of the new primary through its library, where that is loaded. */
async function notifyWitness(
  { databases }: CommandContext,
  primary: NodeRecord,
  witness: NodeRecord,
): Promise<void> {
  try {
    const database = await databases.connect(parseConninfo(witness.conninfo));
    try {
      const [row] = await database.query<{ exists: boolean }>(
        "SELECT pg_catalog.to_regprocedure('repmgr.notify_follow_primary(integer)') IS NOT NULL AS exists",
      );
      if (row?.exists === true)
        await database.query("SELECT repmgr.notify_follow_primary($1)", [primary.nodeId]);
    } finally {
      await database.close();
    }
  } catch (error) {
    // Only a courtesy: its registration says the same to a daemon that asks.
    if (!(error instanceof ConnectionError || error instanceof DatabaseError)) throw error;
  }
}
