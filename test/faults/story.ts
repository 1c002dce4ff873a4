import { afterAll, beforeEach, describe, expect, inject, it } from "vitest";
import { isRunning } from "../harness/containers-engine.js";
import { computeFigures, type Figures } from "./figures.js";
import { startFaultCluster, type ClusterShape, type FaultCluster } from "./fault-cluster.js";
import { waitForPrimary, type FaultNode } from "./fault-node.js";
import { limits, type FaultName, type Limits } from "./limits.js";
import { startLoad, type Load } from "./load.js";
import { awaitWhole, endFaults, restoreCluster } from "./restore.js";

export interface Scene {
  readonly cluster: FaultCluster;
  readonly load: Load;
  /** Who was the primary when the story began, and the others. */
  readonly primary: FaultNode;
  readonly standbys: readonly FaultNode[];
}

interface Tale {
  readonly title: string;
  readonly shape: ClusterShape;
  readonly tell: (fault: DeclareFault) => void;
}

/**
 * Brings the fault, and returns when the load has seen enough of it. What it answers is run after the end of the load:
 * the help that a cluster needs from outside, such as the start of a server.
 */
type Act = (scene: Scene) => Promise<undefined | (() => Promise<void>)>;
type DeclareFault = (name: FaultName, act: Act) => void;

/** FAULT_PATIENCE=3 lets everything take three times as long: for a machine that has other work to do. */
export const patience = Number(process.env["FAULT_PATIENCE"] ?? 1);

const HEAL_WITHIN_MS = 20_000 * patience;

/**
 * Declares stories on one cluster under a writing load. Each begins with a whole cluster, prints its figures, and
 * ends with faults taken away and the nodes having found together by themselves.
 */
export function describeFaults({ title, shape, tell }: Tale): void {
  describe(title, () => {
    let cluster: FaultCluster | null = null;
    let hasFailed = false;
    const keepLogs = async (): Promise<void> => {
      if (cluster !== null) console.error(`logs of "${title}" are in ${await cluster.keepLogs()}`);
    };

    beforeEach(async (context) => {
      const engineFailure = inject("engineFailure");
      if (engineFailure !== null) context.skip(engineFailure);
      if (cluster !== null) {
        if (!hasFailed) return;
        // What a failed story left is nothing to build on.
        await keepLogs();
        await cluster.remove();
      }
      hasFailed = false;
      cluster = await startFaultCluster(shape);
    }, 180_000);

    afterAll(async () => {
      if (cluster === null || !isRunning(inject("containerOwner"))) return;
      if (hasFailed) await keepLogs();
      await cluster.remove();
    });

    tell((name, act) => {
      it(name, async () => {
        if (cluster === null) throw new Error("the cluster is used before it was started");
        try {
          await tellStory(cluster, name, act);
        } catch (error) {
          hasFailed = true;
          await endFaults(cluster).catch(() => {});
          throw error;
        }
      });
    });
  });
}

async function tellStory(cluster: FaultCluster, name: FaultName, act: Act): Promise<void> {
  await restoreCluster(cluster);
  const primary = await waitForPrimary(cluster.servers);
  const standbys = cluster.servers.filter((node) => node !== primary);
  const load = await startLoad(cluster.servers);
  let help: Awaited<ReturnType<Act>>;
  let endMs = 0;
  try {
    help = await act({ cluster, load, primary, standbys });
  } finally {
    endMs = load.nowMs();
    await load.stop();
  }
  await help?.();
  const healingSince = performance.now();
  const final = await awaitWhole(cluster, HEAL_WITHIN_MS).catch((error: unknown) => error);
  const survivor = final instanceof Error ? await waitForPrimary(cluster.servers) : (final as FaultNode);
  const figures = await readFigures(load, survivor, endMs);
  const healed =
    final instanceof Error ? "not healed" : `whole ${ms(performance.now() - healingSince)} later`;
  console.log(describeFigures({ name, from: primary, to: survivor, figures, healed }));
  if (final instanceof Error) throw final;
  judge(figures, { limits: limits[name], from: primary, to: survivor });
}

export async function readFigures(load: Load, primary: FaultNode, endMs: number): Promise<Figures> {
  const rows = await primary.ask("SELECT string_agg(row::text, ',') FROM load", 30_000);
  return computeFigures({
    acknowledgements: load.acknowledgements(),
    endMs,
    kept: new Set((rows ?? "").split(",").map(Number)),
  });
}

interface Report {
  readonly name: string;
  readonly from: FaultNode;
  readonly to: FaultNode;
  readonly figures: Figures;
  readonly healed: string;
}

function describeFigures({ name, from, to, figures, healed }: Report): string {
  const { acknowledged, outageMs, missing, overlapMs } = figures;
  const lost = Object.entries(missing).map(([node, count]) => `${count} of ${node}`);
  return [
    `${name}: ${from === to ? `${from.name} stays` : `${from.name} -> ${to.name}`}`,
    `outage ${ms(outageMs)}`,
    `${acknowledged} rows acknowledged, missing ${lost.length === 0 ? "0" : lost.join(", ")}`,
    `two writable ${ms(overlapMs)}`,
    healed,
  ].join("; ");
}

const ms = (duration: number): string => `${String(Math.round(duration))} ms`;

function judge(
  { outageMs, missing, overlapMs }: Figures,
  { limits, from, to }: { readonly limits: Limits; readonly from: FaultNode; readonly to: FaultNode },
): void {
  if (limits.primaryAfterwards !== "whoever is elected")
    expect(to === from ? "unchanged" : "a standby", "the primary afterwards").toBe(limits.primaryAfterwards);
  const isCounted = (node: string): boolean =>
    limits.missing === "counted" ? node !== to.name : limits.missing === "of a stray" && node !== from.name;
  const unaccounted = Object.entries(missing).filter(([node]) => !isCounted(node));
  expect(unaccounted, "acknowledged rows that are missing").toEqual([]);
  expect(overlapMs, "two writable, ms").toBeLessThanOrEqual(limits.overlapMs * patience);
  expect(outageMs, "outage, ms").toBeLessThanOrEqual(limits.outageMs * patience);
}
