import type { PendingArchiving } from "../../decide/node-status.js";
import type { Reporter } from "../../output/reporter.js";

/** Says why the files that wait for the archiver could not be counted, if so. */
export function reportUnreadableArchive(reporter: Reporter, pendingArchiving: PendingArchiving): void {
  if (pendingArchiving.kind !== "unreadable") return;
  reporter.error(`unable to access archive_status directory "${pendingArchiving.path}"`, {
    detail: pendingArchiving.reason,
    hint: 'check "data_directory" in repmgr.conf, or grant pg_monitor to the user of conninfo',
  });
}
