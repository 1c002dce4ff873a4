import type { NodeId } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";

/** One row of `repmgr.events`. */
export interface EventRecord {
  readonly nodeId: NodeId;
  /** Null when no such node is registered (any more). */
  readonly nodeName: string | null;
  readonly event: string;
  readonly successful: boolean;
  /** `YYYY-MM-DD HH:MM:SS` in the session's time zone. */
  readonly localTime: string;
  /** ISO 8601 in UTC, with microseconds. */
  readonly time: string;
  readonly details: string | null;
}

export interface EventFilter {
  readonly nodeId?: NodeId | undefined;
  readonly nodeName?: string | undefined;
  readonly event?: string | undefined;
  /** Null for all. */
  readonly limit: number | null;
}

interface EventRow {
  readonly node_id: NodeId;
  readonly node_name: string | null;
  readonly event: string;
  readonly successful: boolean;
  readonly local_time: string;
  readonly utc_time: string;
  readonly details: string | null;
}

/** The newest events first, those of one moment in the reverse order of their rows. Throws DatabaseError. */
export async function listEvents(database: Database, filter: EventFilter): Promise<readonly EventRecord[]> {
  const rows = await database.query<EventRow>(
    `SELECT e.node_id, n.node_name, e.event, e.successful, e.details,
            pg_catalog.to_char(e.event_timestamp, 'YYYY-MM-DD HH24:MI:SS') AS local_time,
            pg_catalog.to_char(e.event_timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS utc_time
       FROM repmgr.events e
       LEFT JOIN repmgr.nodes n ON n.node_id = e.node_id
      WHERE ($1::int IS NULL OR e.node_id = $1)
        AND ($2::text IS NULL OR n.node_name = $2)
        AND ($3::text IS NULL OR e.event = $3)
      ORDER BY e.event_timestamp DESC, e.ctid DESC
      LIMIT $4::bigint`,
    [filter.nodeId ?? null, filter.nodeName ?? null, filter.event ?? null, filter.limit],
  );
  return rows.map((row) => ({
    nodeId: row.node_id,
    nodeName: row.node_name,
    event: row.event,
    successful: row.successful,
    localTime: row.local_time,
    time: row.utc_time,
    details: row.details,
  }));
}
