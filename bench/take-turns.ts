import { setTimeout as sleep } from "node:timers/promises";
import type { Side } from "./rows.js";
import type { Measurement } from "./judge-row.js";

export type Sampler = () => Promise<number>;

/** In which servers and hosts end the sessions of a program that has ended: that is not on the next one's account. */
const REST_MS = 250;

/** Samples every side once a round, so that a machine that gets slower gets slower for all; the first round is thrown away. */
export async function takeTurns(
  samplers: Readonly<Partial<Record<Side, Sampler>>>,
  rounds: number,
): Promise<Measurement> {
  const sides = Object.entries(samplers).map(([side, sample]) => ({ side, sample, samples: [] as number[] }));
  for (const { sample } of sides) await sample();
  for (let round = 0; round < rounds; round++) {
    for (const { sample, samples } of round % 2 === 0 ? sides : sides.toReversed()) {
      await sleep(REST_MS);
      samples.push(await sample());
    }
  }
  return { kind: "measured", samples: Object.fromEntries(sides.map(({ side, samples }) => [side, samples])) };
}
