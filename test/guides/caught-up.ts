import type { ContainerNode } from "../harness/containers.js";
import { waitUntil } from "../harness/wait-until.js";

const WITHIN_MS = 60_000;

/** Waits until as many standbys stream from a primary and have replayed whatever it has written. */
export async function waitUntilCaughtUp(primary: ContainerNode | undefined, count: number): Promise<void> {
  await waitUntil(
    `${String(count)} standbys of ${primary?.name ?? "no node"} have replayed everything`,
    async () => {
      const answer = await primary?.execute(
        "psql -d repmgr -Atc \"SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn >= pg_current_wal_lsn()\"",
      );
      return answer?.stdout === `${String(count)}\n`;
    },
    WITHIN_MS,
  );
}
