import { setTimeout as sleep } from "node:timers/promises";
import { abandon, connectTo, type FaultNode } from "./fault-node.js";

const EVERY_MS = 5;

export interface Probe {
  /** How often the server has answered, and how often it was out of recovery then. */
  stop(): Promise<{ readonly answers: number; readonly writable: number }>;
}

/** Looks at a server every 5 ms, from before it is up. */
export function startProbe({ address }: FaultNode): Probe {
  const signal: { isOver: boolean } = { isOver: false };
  let answers = 0;
  let writable = 0;
  const look = async (): Promise<void> => {
    const client = connectTo(address, 1000);
    try {
      await client.connect();
      while (!signal.isOver) {
        const { rows } = await client.query<{ r: boolean }>("SELECT pg_is_in_recovery() AS r");
        answers += 1;
        if (rows[0]?.r === false) writable += 1;
        await sleep(EVERY_MS);
      }
    } finally {
      abandon(client);
    }
  };
  const run = async (): Promise<void> => {
    while (!signal.isOver) await look().catch(() => sleep(EVERY_MS));
  };
  const running = run();
  return {
    stop: async () => {
      signal.isOver = true;
      await running;
      return { answers, writable };
    },
  };
}
