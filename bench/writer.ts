import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Place, Server } from "./server.js";

/** Commits a row after the other on whichever server takes writes. */
export interface Writer {
  /** The longest time between two commits since it was asked last, in milliseconds. */
  takeLongestGap(): number;
  /** Which server took the last one; null before the first. */
  lastServer(): Server | null;
  stop(): Promise<void>;
}

const PAUSE_MS = 1;

/** `retryMs`: the pause after a server that took no writes; logins in haste would slow the election down. */
export async function startWriter(
  place: Place,
  servers: readonly Server[],
  retryMs = PAUSE_MS,
): Promise<Writer> {
  const password = readFileSync(join(place.folder, "password"), "utf8").trim();
  const state = { isOn: true, lastAt: performance.now(), longestGap: 0, lastServer: null as Server | null };
  const writeOn = async (server: Server): Promise<void> => {
    const { port } = server;
    const client = new pg.Client({ host: "127.0.0.1", port, user: "repmgr", database: "repmgr", password });
    client.on("error", () => undefined);
    try {
      await client.connect();
      while (state.isOn) {
        await client.query("INSERT INTO written VALUES (clock_timestamp())");
        const now = performance.now();
        state.longestGap = Math.max(state.longestGap, now - state.lastAt);
        state.lastAt = now;
        state.lastServer = server;
        await sleep(PAUSE_MS);
      }
    } catch {
      // Down, or a standby: the other one is tried.
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const written = (async () => {
    for (let turn = 0; state.isOn; turn++) {
      const server = servers[turn % servers.length];
      if (server !== undefined) await writeOn(server);
      await sleep(retryMs);
    }
  })();
  return {
    takeLongestGap: () => {
      const gap = state.longestGap;
      state.longestGap = 0;
      return gap;
    },
    lastServer: () => state.lastServer,
    stop: async () => {
      state.isOn = false;
      await written;
    },
  };
}
