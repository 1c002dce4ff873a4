// Takes all measurements as an ordinary user: measure.js FOLDER POSTGRES_BIN_DIRECTORY REASON [--quick]
// REASON says why the reference is not there, empty when it is. Writes results.json into the folder.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { constants, cpus, totalmem } from "node:os";
import { join } from "node:path";
import type { Measurement } from "./judge-row.js";
import {
  cloneStandby,
  type Contestants,
  copyWithoutProgram,
  measurePeakMemory,
  registerNodes,
  requireAllReached,
  requireWholeTable,
  showBrokenCluster,
  showCluster,
  showConnectivity,
} from "./programs.js";
import { hasMissedRow, renderMarkdown, type Results } from "./report.js";
import type { MeasurementName } from "./rows.js";
import { killRunningPrograms, type Program, runProgram, timeProgram } from "./run-program.js";
import {
  copyStandbys,
  createPrimary,
  freezeServer,
  type Place,
  placeServer,
  runSql,
  type Server,
  startServer,
  stopServer,
  thawServers,
} from "./server.js";
import { startSshd, type Sshd } from "./sshd.js";
import { measureDaemons } from "./failover.js";
import { measureSwitchover } from "./switchover.js";
import { takeTurns } from "./take-turns.js";

const rounds = {
  full: {
    ...{ version: 41, "show-3": 41, "show-20": 21, "show-frozen": 5, clone: 5, memory: 7 },
    ...{ "matrix-3": 11, "crosscheck-3": 7, "matrix-6": 7, "crosscheck-6": 5 },
    ...{ switchover: 6, outage: 6 },
    ...{ failover: 5, "failover-fast": 5, "daemon-memory": 3, "daemon-cpu": 3 },
  },
  quick: {
    ...{ version: 21, "show-3": 21, "show-20": 9, "show-frozen": 1, clone: 1, memory: 3 },
    ...{ "matrix-3": 3, "crosscheck-3": 3, "matrix-6": 3, "crosscheck-6": 1 },
    ...{ switchover: 2, outage: 2 },
    ...{ failover: 1, "failover-fast": 1, "daemon-memory": 3, "daemon-cpu": 3 },
  },
} as const satisfies Record<string, Record<MeasurementName, number>>;

const ROWS_OF_BALLAST = 131_072;

/** A page for each row, 1 GB in all, written without WAL because its table is new in the same transaction. */
const FILL_WITH_1_GB = `BEGIN;
CREATE TABLE ballast (filling text) WITH (fillfactor = 10, autovacuum_enabled = off);
INSERT INTO ballast SELECT repeat(md5(i::text), 30) FROM generate_series(1, ${ROWS_OF_BALLAST}) i;
COMMIT`;

interface Bench extends Contestants {
  readonly place: Place;
  readonly whyNoReference: string;
  readonly sshd: Sshd;
  readonly rounds: Readonly<Record<MeasurementName, number>>;
}

async function measureAll(bench: Bench): Promise<Record<MeasurementName, Measurement>> {
  const version = await measure(bench, "version", {
    ours: () => timeProgram({ path: bench.ours, args: ["--version"] }),
    node: () => timeProgram(bareNode),
  });
  const nodes = await createNodes(bench.place, 20);
  const three = nodes.slice(0, 3);
  await startStandbys(bench, three);
  const ofThree = await measureThreeNodes(bench, three);
  const ofThreeHosts = await measureConnectivity(bench, three, 3);
  const six = nodes.slice(0, 6);
  await startStandbys(bench, six.slice(3));
  const ofSixHosts = await measureConnectivity(bench, six, 6);
  await startStandbys(bench, nodes.slice(6));
  const show20 = await measureAgainstReference(bench, "show-20", { nodes, show: showCluster });
  for (const node of nodes.toReversed()) await stopServer(bench.place, node);
  const clone = await measureClone(bench);
  return {
    ...{ version, ...ofThree, "show-20": show20, clone },
    ...{ "matrix-3": ofThreeHosts.matrix, "crosscheck-3": ofThreeHosts.crosscheck },
    ...{ "matrix-6": ofSixHosts.matrix, "crosscheck-6": ofSixHosts.crosscheck },
    ...(await measureSwitchovers(bench)),
    ...(await measureFailovers(bench)),
  };
}

const bareNode: Program = { path: process.execPath, args: ["-e", "0"] };

function measure(
  { rounds }: Bench,
  name: MeasurementName,
  samplers: Parameters<typeof takeTurns>[0],
): Promise<Measurement> {
  console.log(`${name}: ${Object.keys(samplers).join(", ")}; ${rounds[name]} runs each`);
  return takeTurns(samplers, rounds[name]);
}

/** Of a cluster of its own, whose roles change. */
async function measureSwitchovers(bench: Bench): ReturnType<typeof measureSwitchover> {
  const nodes = await createNodes(bench.place, 3, "switch");
  await startStandbys(bench, nodes);
  const [first] = nodes;
  if (first !== undefined) await runSql(bench.place, first, "CREATE TABLE written (at timestamptz)");
  console.log(`switchover: ${bench.rounds.switchover} runs each`);
  const measured = await measureSwitchover({ ...bench, rounds: bench.rounds.switchover }, nodes);
  for (const node of nodes) await stopServer(bench.place, node);
  return measured;
}

/** Of a cluster of its own, which is made anew for each failover. */
async function measureFailovers(bench: Bench): ReturnType<typeof measureDaemons> {
  const { place, reference } = bench;
  const settings = reference === null ? "" : "shared_preload_libraries = 'repmgr'\n";
  const nodes = await createNodes(place, 3, "failover", settings);
  await startStandbys(bench, nodes);
  const [first] = nodes;
  if (first !== undefined) await runSql(place, first, "CREATE TABLE written (at timestamptz)");
  return measureDaemons({ ...bench, rounds: bench.rounds.failover, idleSeconds: isQuick ? 15 : 60 }, nodes);
}

async function createNodes(
  place: Place,
  count: number,
  prefix = "node",
  settings = "",
): Promise<readonly Server[]> {
  console.log(`making ${count} servers`);
  const nodes: Server[] = [];
  for (let id = 1; id <= count; id++) nodes.push(await placeServer(place, `${prefix}${id}`, id));
  const [primary, ...standbys] = nodes;
  if (primary === undefined) throw new RangeError("no server wanted");
  await createPrimary(place, primary, settings);
  await copyStandbys(place, primary, standbys);
  return nodes;
}

/** Of nodes whose first one may be the primary, which runs already. */
async function startStandbys(bench: Bench, nodes: readonly Server[]): Promise<void> {
  for (const node of nodes) if (node.id !== 1) await startServer(bench.place, node);
  await registerNodes(bench, nodes);
}

async function measureThreeNodes(
  bench: Bench,
  nodes: readonly Server[],
): Promise<Record<"show-3" | "memory" | "show-frozen", Measurement>> {
  const [first, , last] = nodes;
  if (first === undefined || last === undefined) throw new RangeError("three nodes are needed");
  const show = showCluster(bench.ours, first);
  await requireWholeTable(show, nodes);
  const show3 = await measure(bench, "show-3", {
    ours: () => timeProgram(show),
    node: () => timeProgram(bareNode),
  });
  const memory = await measure(bench, "memory", { ours: () => measurePeakMemory(bench.place, show) });
  freezeServer(last);
  try {
    const frozen = await measureAgainstReference(bench, "show-frozen", { nodes, show: showBrokenCluster });
    return { "show-3": show3, memory, "show-frozen": frozen };
  } finally {
    thawServers();
  }
}

async function measureAgainstReference(
  bench: Bench,
  name: MeasurementName,
  { nodes, show }: { readonly nodes: readonly Server[]; readonly show: typeof showCluster },
): Promise<Measurement> {
  const { ours, reference, whyNoReference } = bench;
  const [first] = nodes;
  if (reference === null || first === undefined) return { kind: "skipped", reason: whyNoReference };
  for (const path of [ours, reference]) await requireWholeTable(show(path, first), nodes);
  return measure(bench, name, {
    ours: () => timeProgram(show(ours, first)),
    reference: () => timeProgram(show(reference, first)),
  });
}

/** All hosts are this one: what is measured is how the programs get to six nodes, not the network between them. */
async function measureConnectivity(
  bench: Bench,
  nodes: readonly Server[],
  count: 3 | 6,
): Promise<Record<"matrix" | "crosscheck", Measurement>> {
  const { ours, reference, whyNoReference, sshd } = bench;
  const [first] = nodes;
  const measureVerb = async (verb: "matrix" | "crosscheck"): Promise<Measurement> => {
    if (sshd.kind === "missing") return { kind: "skipped", reason: sshd.reason };
    if (reference === null || first === undefined) return { kind: "skipped", reason: whyNoReference };
    for (const path of [ours, reference]) {
      await requireAllReached(showConnectivity(path, first, { verb, more: ["--csv"] }), nodes);
    }
    return measure(bench, `${verb}-${count}`, {
      ours: () => timeProgram(showConnectivity(ours, first, { verb })),
      reference: () => timeProgram(showConnectivity(reference, first, { verb })),
    });
  };
  return { matrix: await measureVerb("matrix"), crosscheck: await measureVerb("crosscheck") };
}

async function measureClone(bench: Bench): Promise<Measurement> {
  const { place, ours, reference } = bench;
  const source = await placeServer(place, "source", 1);
  const clone = await placeServer(place, "clone", 2);
  console.log("filling a server with 1 GB");
  await createPrimary(place, source);
  await runSql(place, source, FILL_WITH_1_GB);
  await runSql(place, source, "CHECKPOINT");
  await registerNodes(bench, [source]);
  const timeCopy = async (program: Program): Promise<number> => {
    rmSync(clone.dataDirectory, { recursive: true, force: true });
    const elapsed = await timeProgram(program);
    if (!existsSync(join(clone.dataDirectory, "PG_VERSION")))
      throw new Error(`${program.path} copied nothing`);
    return elapsed;
  };
  return measure(bench, "clone", {
    ours: () => timeCopy(cloneStandby(ours, source, clone)),
    pg_basebackup: () => timeCopy(copyWithoutProgram(place, source, clone)),
    ...(reference === null ? {} : { reference: () => timeCopy(cloneStandby(reference, source, clone)) }),
  });
}

async function readVersions({ place, ours, reference }: Bench): Promise<Results["versions"]> {
  const read = async (path: string): Promise<string> => {
    const output = await runProgram({ path, args: ["--version"] });
    return /\d[\w.]*/.exec(output)?.[0] ?? output.trim();
  };
  return {
    tsrepmgr: await read(ours),
    reference: reference === null ? null : await read(reference),
    postgres: await read(join(place.binDirectory, "postgres")),
    node: process.versions.node,
  };
}

const describeMachine = (): Results["machine"] => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown processor",
  cores: cpus().length,
  memoryGib: Math.round(totalmem() / 2 ** 30),
  hasExtraCertificates: (process.env.NODE_EXTRA_CA_CERTS ?? "") !== "",
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    killRunningPrograms();
    thawServers();
    process.exit(128 + constants.signals[signal]);
  });
}

const [folder = "", binDirectory = "", whyNoReference = "", mode] = process.argv.slice(2);
const isQuick = mode === "--quick";
const sshd = await startSshd(folder);
const bench: Bench = {
  place: { folder, binDirectory, sshOptions: sshd.kind === "running" ? sshd.sshOptions : "" },
  sshd,
  ours: join(folder, "bin/tsrepmgr"),
  reference: whyNoReference === "" ? join(binDirectory, "repmgr") : null,
  whyNoReference,
  rounds: isQuick ? rounds.quick : rounds.full,
};
const results: Results = {
  versions: await readVersions(bench),
  machine: describeMachine(),
  isQuick,
  measurements: await measureAll(bench),
};
writeFileSync(join(folder, "results.json"), JSON.stringify(results));
console.log(`\n${renderMarkdown(results)}`);
process.exitCode = hasMissedRow(results) ? 1 : 0;
