import type { ContainerNode } from "../harness/containers.js";
import { waitUntilCaughtUp } from "./caught-up.js";

export interface LossOfPrimary {
  readonly primary: ContainerNode | undefined;
  /** The standby that is to follow the other one. */
  readonly follower: ContainerNode | undefined;
  /** Stops the primary. */
  stop(): Promise<unknown>;
  /** Resolves as soon as the daemon of the standby that is to win has noticed it. */
  notice(): Promise<unknown>;
}

/**
 * Stops the primary of two standbys so that the one of a guide wins: whoever notices first asks first, or has more of
 * the log. The daemon of the other standby is frozen for so long; it votes, since its own attempts are over soon after.
 */
export async function losePrimary({ primary, follower, stop, notice }: LossOfPrimary): Promise<void> {
  await waitUntilCaughtUp(primary, 2);
  const pid = (
    await follower?.expectSuccess("psql -d repmgr -Atc 'SELECT repmgr.get_repmgrd_pid()'")
  )?.stdout.trim();
  await follower?.expectSuccess(`kill -STOP ${pid ?? ""}`);
  const thaw = async (): Promise<unknown> => follower?.expectSuccess(`kill -CONT ${pid ?? ""}`);
  await Promise.all([stop(), notice().finally(thaw)]);
}
