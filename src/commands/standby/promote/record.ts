import type { Settings } from "../../../config/settings-table.js";
import { lookAtServer } from "../../../coordination/look-at-server.js";
import { DatabaseError } from "../../../errors/database-error.js";
import { writePromotion } from "../../../metadata/cluster-record.js";
import { listNodes } from "../../../metadata/nodes.js";
import { recordPromotion } from "../../../metadata/record-promotion.js";
import { parseLsn } from "../../../model/lsn.js";
import type { NodeId } from "../../../model/node-record.js";
import { findForkPoint } from "../../../model/timeline.js";
import type { Database } from "../../../postgres/database.js";
import { readOwnHistory } from "../../../postgres/own-history.js";
import type { CommandContext } from "../../define-command.js";
import { isRunByDaemon } from "./daemon-order.js";
import { isSynchronousByHand, readHighestTerm } from "./synchronous.js";

/**
 * Makes this node the primary of the metadata. By hand that is a promotion of its own term, which the other daemons
 * follow; a daemon writes that record itself, when the promotion was in time. Throws DatabaseError.
 */
export async function recordOwnPromotion(
  context: CommandContext,
  database: Database,
  id: NodeId,
): Promise<void> {
  const { environment, settings, reporter } = context;
  if (isRunByDaemon(environment)) return recordPromotion(database, id);
  try {
    const known = isSynchronousByHand(context)
      ? await readHighestTerm(context, await listNodes(database))
      : 0;
    await writeOwnPromotion(database, { id, known }, settings);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.meaning !== "insufficient-privilege") throw error;
    reporter.warning("the promotion cannot be recorded, so that daemons may not follow it by themselves", {
      detail: error.message,
      hint: "let this user create and write table repmgr.settings",
    });
    await recordPromotion(database, id);
  }
}

async function writeOwnPromotion(
  database: Database,
  { id, known }: { readonly id: NodeId; readonly known: number },
  { data_directory }: Pick<Settings, "data_directory">,
): Promise<void> {
  const { timeline, termRow, vote, requests, promotions } = await lookAtServer(database, id);
  const newest = promotions.at(-1);
  if (newest?.node === id && newest.timeline === timeline) return recordPromotion(database, id);
  const terms = [known, termRow ?? 0, vote?.votedTerm ?? 0, ...requests.map(({ term }) => term)];
  const history = timeline === null ? null : await readOwnHistory(data_directory, timeline);
  const parent = history?.at(-1)?.timeline;
  const forkLsn = parent === undefined ? null : findForkPoint(history ?? [], parent);
  await writePromotion(database, {
    term: Math.max(...terms) + 1,
    node: id,
    timeline: timeline ?? 0,
    forkLsn: forkLsn ?? parseLsn("0/0"),
  });
}
