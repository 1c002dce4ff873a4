import { decideSyncStep, describeStranger } from "../decide/sync-set.js";
import { findRegisteredPrimary } from "../metadata/nodes.js";
import { createSyncDriver } from "../metadata/sync-driver.js";
import { BLOCKED_NAMES, type SyncStep } from "../model/sync-state.js";
import type { Database } from "../postgres/database.js";
import type { CommandContext } from "./define-command.js";

const WAIT_MS = 10_000;
const POLL_MS = 200;

/**
 * Leads `synchronous_standby_names` of the primary after its registered nodes, beside its daemon or without one. What
 * does not come about in time is a warning: until then the list is only stricter than it must be.
 */
export async function awaitSyncSet(
  context: Pick<CommandContext, "settings" | "clock" | "interrupted" | "reporter">,
  primary: Database,
): Promise<void> {
  const { settings, clock, interrupted, reporter } = context;
  if (settings.sync_mode === "off" || !primary.isSuperuser) return;
  const self = (await findRegisteredPrimary(primary))?.nodeId;
  if (self === undefined) return;
  const driver = createSyncDriver(clock, ({ look, since }): SyncStep => {
    // Only the daemon of a new primary knows whether its promotion is on record.
    if (look.names === BLOCKED_NAMES) return { kind: "wait", reason: "the primary acknowledges nothing yet" };
    const strange = look.nodes.filter((node) => describeStranger(node, look.senders) !== null);
    const unsound = new Set(strange.map(({ nodeId }) => nodeId));
    return decideSyncStep({ ...look, self, since, unsound });
  });
  const deadline = clock.monotonic() + WAIT_MS;
  for (;;) {
    const step = await driver.turn(primary);
    if (step?.kind === "settled") {
      reporter.info("synchronous_standby_names fits the registered nodes");
      return;
    }
    if (clock.monotonic() > deadline) {
      reporter.warning("synchronous_standby_names does not fit the registered nodes yet", {
        ...(step?.kind === "wait" ? { detail: step.reason } : {}),
        hint: 'see "service status"; the daemon of the primary goes on with it',
      });
      return;
    }
    await clock.sleep(POLL_MS, interrupted);
  }
}
