import type { Settings } from "../config/settings-table.js";
import type { NodeId } from "../model/node-record.js";
import type { Reporter } from "../output/reporter.js";
import { DatabaseError } from "../errors/database-error.js";
import type { Database } from "../postgres/database.js";
import type { Clock } from "../system/clock.js";
import { formatLocalTimestamp } from "../system/local-time.js";
import type { Processes } from "../system/processes.js";
import { runShellCommand } from "../system/shell-command.js";
import type { EventType } from "./event-types.js";
import { expandNotificationCommand, type NotificationValues } from "./notification-command.js";

export interface Event {
  readonly event: EventType;
  readonly nodeId: NodeId;
  readonly successful: boolean;
  readonly details: string | null;
  /** Fills `%p %c %a`; which events have one is in the reference's table of placeholders. */
  readonly subject?: NotificationValues["subject"];
}

export interface EventSurroundings {
  readonly clock: Clock;
  readonly processes: Processes;
  readonly reporter: Reporter;
  readonly settings: Pick<Settings, "event_notification_command" | "event_notifications">;
}

/**
 * Stores the event on `database`, when that is a primary, and runs `event_notification_command`. Neither can make
 * the command fail that raised the event: what goes wrong is a WARNING.
 */
export async function announceEvent(
  surroundings: EventSurroundings,
  event: Event,
  database: Database | null,
): Promise<void> {
  const stored = database === null ? null : await storeEvent(surroundings, event, database);
  await notify(surroundings, {
    ...event,
    timestamp: stored ?? formatLocalTimestamp(surroundings.clock.now(), "with-zone"),
    subject: event.subject ?? null,
  });
}

async function storeEvent(
  { reporter }: EventSurroundings,
  event: Event,
  database: Database,
): Promise<string | null> {
  try {
    const [row] = await database.query<{ timestamp: string }>(
      `INSERT INTO repmgr.events (node_id, event, successful, details)
       SELECT $1, $2, $3, $4 WHERE NOT pg_catalog.pg_is_in_recovery()
       RETURNING event_timestamp::text AS timestamp`,
      [event.nodeId, event.event, event.successful, event.details],
    );
    return row?.timestamp ?? null;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    reporter.warning(`unable to create event record for "${event.event}"`, { detail: error.message });
    return null;
  }
}

/** The reference documents the one and writes the other. */
const otherSpellings: Readonly<Record<string, string>> = {
  repmgrd_failover_aborted: "repmgrd_failover_abort",
};

/** Runs `event_notification_command` when it is wanted for this event. What goes wrong is a WARNING. */
export async function notify(
  { processes, reporter, settings }: Omit<EventSurroundings, "clock">,
  values: NotificationValues,
): Promise<void> {
  const template = settings.event_notification_command;
  const wanted = settings.event_notifications;
  const names = [values.event, otherSpellings[values.event] ?? values.event];
  if (template === "" || (wanted.length > 0 && !names.some((name) => wanted.includes(name)))) return;
  const command = expandNotificationCommand(template, values);
  reporter.info(`executing notification command for event "${values.event}"`, {
    detail: `command is:\n  ${command}`,
  });
  // What the command leaves in the background (`notify &`) is not waited for, as little as repmgr does.
  const result = await runShellCommand(processes, command);
  if (result.exitCode === 0) return;
  const ending =
    result.signal === null ? `exit status ${result.exitCode ?? "unknown"}` : `signal ${result.signal}`;
  reporter.warning("unable to execute event notification command", {
    detail: `the command ended with ${ending}${result.stderr === "" ? "" : `:\n${result.stderr.trimEnd()}`}`,
  });
}
