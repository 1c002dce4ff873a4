import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { databasesOf, nameOf } from "./cases/case.js";
import { changingStates, type ChangingCase } from "./cases/changing-cases.js";
import { readingStates } from "./cases/reading-states.js";
import { startCluster, type Cluster } from "./cluster.js";
import { expectSame, listUnusedDifferences } from "./compare.js";
import { databases } from "./node.js";
import type { Observed } from "./observe.js";
import { movable } from "./observe-servers.js";
import type { Release } from "./releases.js";
import { runChangingCase, runReadingCase, type Turn } from "./run-case.js";

/** The reference waits for whole seconds; three hosts are arranged anew for each of the three runs. */
const HANDOVER_TIMEOUT_MS = 120_000;

/** The one cluster of a release's cases. */
interface SharedCluster {
  readonly release: Release;
  /** Does something with the cluster; nothing where there is no engine. */
  use(act: (cluster: Cluster) => Promise<void>): Promise<void>;
  /** Runs the reference once and our program in each database, and holds every result against the reference's. */
  compare(
    named: { readonly name: string; readonly line: string },
    run: (turn: Turn) => Promise<Observed>,
  ): Promise<void>;
  comparedCount(): number;
}

/** Declares every case for the reference of a Debian release. */
export function describeCompatibility(release: Release): void {
  describe(`repmgr ${release.referenceVersion} with PostgreSQL ${release.postgresMajor}`, () => {
    const shared = shareCluster(release);
    describeReadingStates(shared);
    describeChangingStates(shared);
    describeAllowedDifferences(shared);
  });
}

function shareCluster(release: Release): SharedCluster {
  let started: Cluster | null = null;
  let comparedCount = 0;
  let hasFailed = false;

  beforeAll(async () => {
    if (inject("engineFailure") === null) started = await startCluster(release);
  });

  beforeEach((context) => {
    const engineFailure = inject("engineFailure");
    if (engineFailure !== null) context.skip(engineFailure);
    context.onTestFailed(() => {
      hasFailed = true;
    });
  });

  afterAll(async () => {
    if (started === null) return;
    if (hasFailed) console.error(`the servers' logs are in ${await started.keepLogs()}`);
    await started.remove();
  });

  return {
    release,
    use: async (act) => {
      if (started !== null) await act(started);
    },
    compare: async ({ name, line }, run) => {
      if (started === null) throw new Error("the cluster is used before it was started");
      comparedCount++;
      const theirs = await run({ cluster: started, database: "repmgr", program: "reference" });
      for (const database of databasesOf(line)) {
        const ours = await run({ cluster: started, database, program: "ours" });
        expectSame({ caseName: name, referenceVersion: release.referenceVersion, database, theirs, ours });
      }
    },
    comparedCount: () => comparedCount,
  };
}

function describeReadingStates({ use, compare }: SharedCluster): void {
  describe.each(readingStates)("$name", (state) => {
    beforeAll(() => use(state.enter));
    afterAll(() => use(state.leave));

    for (const command of state.cases) {
      const name = nameOf(command);
      it(name, () =>
        compare({ name: `${state.name}: ${name}`, line: command.line }, (turn) =>
          runReadingCase(turn, command),
        ),
      );
    }
  });
}

function describeChangingStates({ use, compare }: SharedCluster): void {
  describe.each(changingStates)("$name", ({ name: stateName, cases, ...state }) => {
    let isMoved = false;
    const leave = async ({ restore, resetMetadata, awaitReplay }: Cluster): Promise<void> => {
      await restore(state.restores);
      for (const database of databases) await resetMetadata(database);
      await awaitReplay();
    };
    const arrangeAgain = async (cluster: Cluster): Promise<void> => {
      if (!isMoved) return;
      await leave(cluster);
      await state.enter(cluster.node);
      isMoved = false;
    };
    beforeAll(() =>
      use(async (cluster) => {
        if (state.settings !== undefined) await configureServers(cluster, state.settings);
        await state.enter(cluster.node);
      }),
    );
    afterAll(() =>
      use(async (cluster) => {
        if (state.settings !== undefined) await configureServers(cluster, []);
        await leave(cluster);
      }),
    );

    for (const command of cases) {
      const name = nameOfChange(command);
      it(name, command.handsOver ? { timeout: HANDOVER_TIMEOUT_MS } : {}, () =>
        compare({ name: `${stateName}: ${name}`, line: command.line }, async (turn) => {
          await arrangeAgain(turn.cluster);
          isMoved = command.moves ?? false;
          return await runChangingCase(turn, command, state);
        }),
      );
    }
  });
}

async function configureServers({ configure }: Cluster, settings: readonly string[]): Promise<void> {
  for (const name of movable) {
    for (const database of databases) await configure(name, database, settings);
  }
}

function nameOfChange(command: ChangingCase): string {
  const { records, recordsOnWitness, prepare, settings = [] } = command;
  const before = [records, recordsOnWitness, prepare, ...settings].filter((text) => text !== undefined);
  return [nameOf(command), ...(before.length > 0 ? [`after: ${before.join("; ")}`] : [])].join(" ");
}

function describeAllowedDifferences({ release, comparedCount }: SharedCluster): void {
  it("differs from the reference by everything in the table of allowed differences", (context) => {
    const caseCount = [...readingStates, ...changingStates].flatMap(({ cases }) => cases).length;
    if (comparedCount() < caseCount) context.skip("only some of the cases were run");
    expect(listUnusedDifferences(release.referenceVersion)).toEqual([]);
  });
}
