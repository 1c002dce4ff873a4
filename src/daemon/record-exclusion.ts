import { writeExclusion } from "../metadata/cluster-record.js";
import type { SyncExclusion } from "../model/sync-exclusion.js";
import { queryTimeoutMs, type Runtime } from "./runtime.js";

/** Puts the witness's word where the primary reads it. What fails is tried again at the next look. */
export async function recordExclusion(runtime: Runtime, exclusion: SyncExclusion): Promise<void> {
  const { own, context, records } = runtime;
  const { clock, reporter } = context;
  const since = new Date(clock.now()).toISOString();
  const written = await own.use(queryTimeoutMs(runtime), (database) =>
    writeExclusion(database, { ...exclusion, since }),
  );
  if (written.kind !== "answered") {
    reporter.error("unable to record for which standby this witness does not vote", {
      detail: written.reason,
    });
    return;
  }
  const nameOf = (id: number): string => records.find(({ nodeId }) => nodeId === id)?.nodeName ?? String(id);
  const { node, holder, epoch } = exclusion;
  reporter.notice(
    node === null
      ? `every standby may be voted for again, epoch ${epoch}`
      : `node "${nameOf(node)}" is not voted for until it is counted again, epoch ${epoch}`,
    { detail: `asked by the primary "${nameOf(holder)}"` },
  );
}
