import { DatabaseError } from "../errors/database-error.js";
import type { DaemonEvent } from "../events/event-types.js";
import type { NotificationValues } from "../events/notification-command.js";
import { createNotificationQueue } from "../events/notification-queue.js";
import { createEventSpool } from "../events/spool.js";
import type { NodeId } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";
import { describeFailure } from "../system/directories.js";
import type { LineFile } from "../system/line-file.js";
import { formatLocalTimestamp } from "../system/local-time.js";
import type { DaemonContext } from "./daemon-context.js";

export interface RaisedEvent {
  readonly event: DaemonEvent;
  readonly successful: boolean;
  readonly details: string | null;
  /** Fills `%p %c %a`. */
  readonly subject?: NotificationValues["subject"];
}

/** The events of the daemon: told at once to the script, stored when there is a primary; nothing waits for either. */
export interface DaemonEvents {
  raise(event: RaisedEvent): void;
  /** Stores what waits, as long as `isWanted`; `primary` has to be one. What a server can cause is only told. */
  storeOn(primary: Database, isWanted?: () => boolean): Promise<void>;
  readonly waiting: number;
  /** Gives the scripts that still run this time to end. */
  settle(timeoutMs: number): Promise<void>;
}

export function createDaemonEvents(
  context: DaemonContext,
  own: NodeId,
  spoolFile: LineFile | null,
): DaemonEvents {
  const { clock, processes, reporter } = context;
  const spool = createEventSpool(spoolFile, (error) =>
    reporter.warning("unable to keep events on disk", { detail: describeFailure(error) }),
  );
  const queue = createNotificationQueue(clock, () => ({
    processes,
    reporter,
    settings: context.settings(),
  }));
  return {
    raise: ({ event, successful, details, subject = null }) => {
      const now = clock.now();
      spool.add({ nodeId: own, event, successful, details }, now);
      queue.add({
        nodeId: own,
        event,
        successful,
        details,
        subject,
        timestamp: formatLocalTimestamp(now, "with-zone"),
      });
    },
    storeOn: async (primary, isWanted) => {
      try {
        await spool.storeOn(primary, isWanted);
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        reporter.debug("events are not stored yet", { detail: error.message });
      }
    },
    get waiting() {
      return spool.size;
    },
    settle: (timeoutMs) => queue.settle(timeoutMs),
  };
}
