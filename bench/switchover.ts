import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Measurement } from "./judge-row.js";
import type { Contestants } from "./programs.js";
import type { Side } from "./rows.js";
import { runProgram, timeProgram, type Program } from "./run-program.js";
import type { Place, Server } from "./server.js";
import type { Sshd } from "./sshd.js";
import { type Sampler, takeTurns } from "./take-turns.js";
import { startWriter } from "./writer.js";

interface SwitchoverBench extends Contestants {
  readonly place: Place;
  readonly sshd: Sshd;
  readonly rounds: number;
}

type Measured = Readonly<Record<"switchover" | "outage", Measurement>>;

const COMMITS_AGAIN_MS = 300;

/**
 * The first two nodes exchange their roles again and again under a writing session, the third one follows: the time of
 * the whole command, and the longest time between two commits.
 */
export async function measureSwitchover(
  { place, sshd, ours, reference, rounds }: SwitchoverBench,
  nodes: readonly Server[],
): Promise<Measured> {
  if (sshd.kind === "missing") {
    const skipped: Measurement = { kind: "skipped", reason: sshd.reason };
    return { switchover: skipped, outage: skipped };
  }
  for (const { conf, dataDirectory } of nodes)
    appendFileSync(conf, `pg_ctl_options='-l ${dataDirectory}.log'\n`);
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new RangeError("two nodes are needed");
  const writer = await startWriter(place, [first, second]);
  const outages: Partial<Record<Side, number[]>> = {};
  let candidate = second;
  const sample =
    (side: Side, path: string): Sampler =>
    async () => {
      writer.takeLongestGap();
      const elapsed = await timeProgram(switchTo(path, candidate));
      await sleep(COMMITS_AGAIN_MS);
      (outages[side] ??= []).push(writer.takeLongestGap());
      candidate = candidate === first ? second : first;
      return elapsed;
    };
  try {
    await runProgram({ ...switchTo(ours, second), args: [...switchTo(ours, second).args, "--dry-run"] });
    const switchover = await takeTurns(
      {
        ours: sample("ours", ours),
        ...(reference === null ? {} : { reference: sample("reference", reference) }),
      },
      rounds,
    );
    // The first round is thrown away, as takeTurns does.
    const samples = Object.fromEntries(Object.entries(outages).map(([side, all]) => [side, all.slice(1)]));
    return { switchover, outage: { kind: "measured", samples } };
  } finally {
    await writer.stop();
  }
}

const switchTo = (path: string, { conf }: Server): Program => ({
  path,
  args: ["-f", conf, "standby", "switchover", "--siblings-follow"],
});
