import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Measurement } from "./judge-row.js";
import type { Contestants } from "./programs.js";
import type { DaemonMeasurementName } from "./rows.js";
import { runProgram } from "./run-program.js";
import { killServer, startServer, stopServer, type Place, type Server } from "./server.js";
import { takeTurns, type Sampler } from "./take-turns.js";
import { startWriter } from "./writer.js";

interface DaemonBench extends Contestants {
  readonly place: Place;
  readonly rounds: number;
  readonly idleSeconds: number;
}

interface Contestant {
  readonly program: string;
  readonly daemon: string;
  readonly reconnectInterval: string;
}

const POLL_MS = 100;
const RETRY_MS = 20;
const READY_MS = 60_000;
const CALM_MS = 500;
const FAILOVER_MS = 30_000;
/** Of the kernel's clock in /proc. */
const TICK_MS = 10;

/** How long nothing can be written after the primary's server was killed, and what the daemons cost when all is well. */
export async function measureDaemons(
  bench: DaemonBench,
  nodes: readonly Server[],
): Promise<Record<DaemonMeasurementName, Measurement>> {
  const { ours, reference, rounds, place } = bench;
  for (const node of nodes.toReversed()) await stopServer(place, node);
  for (const { dataDirectory } of nodes)
    await runProgram({ path: "cp", args: ["-a", dataDirectory, `${dataDirectory}.kept`] });
  const own = { program: ours, daemon: `${ours}d`, reconnectInterval: "1" };
  const fail = (contestant: Contestant): Sampler => {
    return () => measureFailover(bench, nodes, contestant);
  };
  console.log(`failover: ${rounds} runs each`);
  const failover = await takeTurns(
    {
      ours: fail(own),
      ...(reference === null
        ? {}
        : { reference: fail({ program: reference, daemon: `${reference}d`, reconnectInterval: "1" }) }),
    },
    rounds,
  );
  const fast = await takeTurns({ ours: fail({ ...own, reconnectInterval: "100ms" }) }, rounds);
  return { failover, "failover-fast": fast, ...(await measureIdle(bench, nodes, own)) };
}

async function measureFailover(
  { place }: DaemonBench,
  nodes: readonly Server[],
  contestant: Contestant,
): Promise<number> {
  const [primary] = nodes;
  if (primary === undefined) throw new RangeError("a primary is needed");
  return withDaemons(place, { nodes, contestant }, async () => {
    const writer = await startWriter(place, nodes, RETRY_MS);
    try {
      await sleep(CALM_MS);
      writer.takeLongestGap();
      killServer(primary);
      const deadline = performance.now() + FAILOVER_MS;
      while (writer.lastServer() === primary) {
        if (performance.now() > deadline) throw new Error(`${contestant.daemon} promoted no standby`);
        await sleep(POLL_MS);
      }
      return writer.takeLongestGap();
    } finally {
      await writer.stop();
    }
  });
}

async function measureIdle(
  { place, idleSeconds }: DaemonBench,
  nodes: readonly Server[],
  contestant: Contestant,
): Promise<Record<"daemon-memory" | "daemon-cpu", Measurement>> {
  console.log(`idle daemons, for ${idleSeconds} s`);
  return withDaemons(place, { nodes, contestant }, async (pids) => {
    const before = pids.map(readCpuMs);
    await sleep(idleSeconds * 1000);
    const used = pids.map((pid, index) => ((readCpuMs(pid) - (before[index] ?? 0)) * 60) / idleSeconds);
    const peaks = pids.map(readPeakMib);
    return {
      "daemon-cpu": { kind: "measured", samples: { ours: used } },
      "daemon-memory": { kind: "measured", samples: { ours: peaks } },
    };
  });
}

/** Starts the kept cluster with a daemon for each node, and stops all of it again. */
async function withDaemons<Result>(
  place: Place,
  { nodes, contestant }: { readonly nodes: readonly Server[]; readonly contestant: Contestant },
  use: (pids: readonly number[]) => Promise<Result>,
): Promise<Result> {
  const daemons: ChildProcess[] = [];
  try {
    for (const node of nodes) {
      rmSync(node.dataDirectory, { recursive: true, force: true });
      rmSync(stateOf(node), { recursive: true, force: true });
      await runProgram({
        path: "cp",
        args: ["-a", "--reflink=auto", `${node.dataDirectory}.kept`, node.dataDirectory],
      });
      await startServer(place, node);
    }
    const confs = nodes.map((node) => writeConf(node, contestant));
    const started = await Promise.all(confs.map((conf) => startDaemon(contestant, conf, daemons)));
    if (contestant.daemon.endsWith("tsrepmgrd")) await waitUntilArmed(contestant, confs[1] ?? "");
    return await use(started);
  } finally {
    for (const { pid } of daemons) if (pid !== undefined) killGroup(pid);
    for (const node of nodes) if (existsSync(join(node.dataDirectory, "postmaster.pid"))) killServer(node);
    await sleep(CALM_MS);
  }
}

/** What a daemon remembers of a cluster is void for the next copy of it. */
const stateOf = ({ conf }: Pick<Server, "conf">): string => join(dirname(conf), "state");

function writeConf({ conf, dataDirectory }: Server, contestant: Contestant): string {
  const { program, reconnectInterval } = contestant;
  const path = join(dirname(conf), "daemon.conf");
  copyFileSync(conf, path);
  const lines = [
    "failover=automatic",
    `promote_command='${program} -f ${path} standby promote'`,
    `follow_command='${program} -f ${path} standby follow --upstream-node-id=%n'`,
    `pg_ctl_options='-l ${dataDirectory}.log'`,
    "monitor_interval_secs=1",
    "reconnect_attempts=3",
    `reconnect_interval='${reconnectInterval}'`,
    ...(program.endsWith("tsrepmgr") ? [`state_directory='${stateOf({ conf })}'`] : []),
  ];
  appendFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

/** Answers its process id when it watches. */
async function startDaemon({ daemon }: Contestant, conf: string, daemons: ChildProcess[]): Promise<number> {
  const child = spawn(daemon, ["-f", conf, "--daemonize=false", "--no-pid-file"], {
    stdio: ["ignore", "ignore", "pipe"],
    // Its commands end with it: one that is left would wait for the servers of the next turn.
    detached: true,
  });
  daemons.push(child);
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  await waitFor(`${daemon} watches`, () => {
    if (child.exitCode !== null) throw new Error(`${daemon} ended with ${child.exitCode}:\n${log}`);
    return /monitoring (?:connection to upstream node|cluster primary)/.test(log);
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${log}`);
  });
  return child.pid ?? 0;
}

/** Votes are on hold for a while after the start. */
async function waitUntilArmed({ program }: Contestant, conf: string): Promise<void> {
  await waitFor("the failover is armed", async () => {
    const output = await runProgram({
      path: program,
      args: ["-f", conf, "service", "status", "--format=json"],
    });
    return output.includes('"armed": true');
  });
}

async function waitFor(what: string, isThere: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (!(await isThere())) {
    if (performance.now() > deadline) throw new Error(`waited ${READY_MS} ms in vain until ${what}`);
    await sleep(POLL_MS);
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}

function readCpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function readPeakMib(pid: number): number {
  const peakKb = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(peakKb) / 1024;
}
