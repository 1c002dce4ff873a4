import { DatabaseError } from "../../errors/database-error.js";
import { exitCodes } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import { listEvents, type EventFilter, type EventRecord } from "../../metadata/events.js";
import { listNodes } from "../../metadata/nodes.js";
import { nodeId } from "../../model/node-record.js";
import type { Database } from "../../postgres/database.js";
import { connectToLocalNode } from "../connect-local.js";
import { defineCommand } from "../define-command.js";
import { hintForUnreadableRecords } from "../read-node-records.js";
import { renderEvents } from "./event/render.js";

const DEFAULT_LIMIT = 20;

export const clusterEvent = defineCommand({
  name: "cluster event",
  summary: 'list recent events logged in the "repmgr.events" table',
  options: {
    limit: `maximum number of events to display (default: ${DEFAULT_LIMIT})`,
    all: "display all events (not together with --limit)",
    event: "display only events of this name",
    "node-id": "display only events of the node with this ID",
    "node-name": "display only events of the node with this name",
    compact: 'omit the "Details" column',
    csv: "emit output as CSV (without details)",
    format: "emit output as text, csv or json",
  },
  effect: "reads",
  configuration: "required",
  exitCodes: ["success", "badConfiguration", "databaseConnection", "databaseQuery"],
  examples: ["cluster event --event=standby_register --limit=5"],
  run: async (context, options) => {
    const id = options["node-id"];
    const filter: EventFilter = {
      nodeId: id === undefined ? undefined : nodeId(id),
      nodeName: options["node-name"],
      event: options.event,
      limit: options.all ? null : (options.limit ?? DEFAULT_LIMIT),
    };
    const { reporter, environment, format } = context;
    const database = await connectToLocalNode(context);
    let events: readonly EventRecord[];
    try {
      events = await readEvents(database, filter);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const hint = hintForUnreadableRecords(error, environment.programName);
      const problem = { message: "unable to retrieve event records", detail: error.message, hint };
      throw new UserError(exitCodes.databaseQuery, problem, error);
    }
    reporter.data(renderEvents(events, { format, isCompact: options.compact }));
    return exitCodes.success;
  },
});

/** An id selects events of nodes that are not registered any more, too; a name exists only in a node record. */
async function readEvents(database: Database, filter: EventFilter): Promise<readonly EventRecord[]> {
  const events = await listEvents(database, filter);
  if (events.length > 0 || filter.nodeName === undefined) return events;
  const names = (await listNodes(database)).map(({ nodeName }) => nodeName);
  if (names.includes(filter.nodeName)) return events;
  throw new UserError(exitCodes.badConfiguration, {
    message: `no record found for node name "${filter.nodeName}"`,
    ...(names.length === 0
      ? {}
      : { detail: `registered nodes: ${names.map((name) => `"${name}"`).join(", ")}` }),
    hint: "to list events of a node that is no longer registered, use --node-id",
  });
}
