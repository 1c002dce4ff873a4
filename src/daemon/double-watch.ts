import type { ServerLook } from "../coordination/look-at-server.js";
import { describeNode } from "../model/node-record.js";
import { ownRecord, type Runtime } from "./runtime.js";

/** Older beacons are of a daemon that has ended, perhaps this one's predecessor. */
const FRESH_MS = 3000;
/** So many looks in a row: a session that was just opened may be an own one. */
const LOOKS = 3;
const TELL_EVERY_MS = 60_000;

/** Notices another daemon that takes itself for this node, such as one with a copy of this repmgr.conf. */
export interface DoubleWatch {
  check(look: ServerLook): void;
}

export function createDoubleWatch(runtime: Runtime): DoubleWatch {
  const { context, ownId, events, boot } = runtime;
  let seen = 0;
  let toldAt = -Infinity;
  return {
    check: ({ beacon, vote }) => {
      // Not by the PID: that of a daemon in another container may be the same.
      const isOther =
        beacon?.nodeId === ownId && (beacon.ageMs ?? 0) < FRESH_MS && (vote?.boot ?? boot) !== boot;
      seen = isOther ? seen + 1 : 0;
      const now = context.clock.monotonic();
      if (!isOther || seen < LOOKS || now - toldAt < TELL_EVERY_MS) return;
      toldAt = now;
      const own = ownRecord(runtime);
      const name = own === null ? `(ID: ${ownId})` : describeNode(own);
      const details = `another daemon (PID ${beacon.pid}) takes itself for node ${name}`;
      context.reporter.log("ALERT", details, {
        detail: "both may vote, and neither knows what the other one has promised",
        hint: 'stop it; it has a copy of this repmgr.conf, and needs a "node_id" and a "conninfo" of its own',
      });
      events.raise({ event: "split_brain_suspected", successful: true, details });
    },
  };
}
