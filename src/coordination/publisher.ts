import { renderBeacon, renderVoteBeacon, type DaemonBeacon, type VoteBeacon } from "../model/beacon.js";
import type { Conninfo } from "../model/conninfo.js";
import type { Databases } from "../postgres/database.js";
import { createNamedSession } from "./named-session.js";
import type { SessionAnswer } from "./standing-session.js";

/** The daemon's beacon on its own server: there while the daemon is, gone with it. */
export interface Publisher {
  /** The vote first, so that nobody reads a grant that is older than the beacon beside it. */
  publish(beacon: DaemonBeacon, vote: VoteBeacon | null, timeoutMs: number): Promise<SessionAnswer<void>>;
  close(): Promise<void>;
}

export function createPublisher(
  databases: Databases,
  conninfo: Conninfo,
  limits: { readonly idleTimeoutMs: number },
): Publisher {
  const voteSession = createNamedSession(databases, conninfo, limits);
  const beaconSession = createNamedSession(databases, conninfo, limits);
  return {
    publish: async (beacon, vote, timeoutMs) => {
      if (vote !== null) {
        const shown = await voteSession.show(renderVoteBeacon(vote), timeoutMs);
        if (shown.kind !== "answered") return shown;
      }
      return beaconSession.show(renderBeacon(beacon), timeoutMs);
    },
    close: async () => {
      await Promise.all([voteSession.close(), beaconSession.close()]);
    },
  };
}
