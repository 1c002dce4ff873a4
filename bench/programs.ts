import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram, type Program } from "./run-program.js";
import { connectionArguments, type Place, type Server } from "./server.js";

/** The two programs that are compared; they take the same arguments. */
export interface Contestants {
  readonly ours: string;
  /** Null where the reference is not installed. */
  readonly reference: string | null;
}

const NODE_HAS_PROBLEM = 25;

export const showCluster = (path: string, { conf }: Server): Program => ({
  path,
  args: ["-f", conf, "cluster", "show"],
});

/** The same for a cluster with a node that does not answer. */
export const showBrokenCluster = (path: string, server: Server): Program => ({
  ...showCluster(path, server),
  exitCodes: [NODE_HAS_PROBLEM],
});

/** `cluster matrix` or `cluster crosscheck`. */
export const showConnectivity = (
  path: string,
  { conf }: Server,
  { verb, more = [] }: { readonly verb: "matrix" | "crosscheck"; readonly more?: readonly string[] },
): Program => ({ path, args: ["-f", conf, "cluster", verb, ...more] });

export const cloneStandby = (path: string, source: Server, clone: Server): Program => ({
  path,
  args: ["-f", clone.conf, ...connectionArguments(source), "-d", "repmgr", "standby", "clone", "-c"],
});

/** The pg_basebackup that both contestants run, without them. */
export const copyWithoutProgram = (place: Place, source: Server, clone: Server): Program => ({
  path: join(place.binDirectory, "pg_basebackup"),
  args: [
    ...["-l", "bench", "-D", clone.dataDirectory, ...connectionArguments(source)],
    ...["-c", "fast", "-X", "stream", "-w", "-P"],
  ],
});

/** Both contestants read what this registers, with the extension where the reference is there. */
export async function registerNodes(
  { ours, reference }: Contestants,
  nodes: readonly Server[],
): Promise<void> {
  for (const { id, conf } of nodes) {
    const role = id === 1 ? "primary" : "standby";
    await runProgram({ path: reference ?? ours, args: ["-f", conf, role, "register"] });
  }
}

/** Throws unless the output names every node: a program that fails early would look fast. */
export async function requireWholeTable(program: Program, nodes: readonly Server[]): Promise<void> {
  const output = await runProgram(program);
  const missing = nodes.filter(({ name }) => !output.includes(`| ${name} `));
  if (missing.length === 0) return;
  throw new Error(`${program.path} does not show ${missing.map(({ name }) => name).join(", ")}:\n${output}`);
}

/** Throws unless every node has told that it reaches every node. */
export async function requireAllReached(program: Program, nodes: readonly Server[]): Promise<void> {
  const output = await runProgram(program);
  const reached = output.split("\n").filter((line) => /^\d+,\d+,0$/.test(line));
  if (reached.length === nodes.length ** 2) return;
  throw new Error(`${program.path} does not reach every node from every node:\n${output}`);
}

/**
 * The greatest resident size of a program on Node, in MiB. The kernel's own figure for a finished child begins with the
 * size of the process that started it, so the program is asked itself at its end.
 */
export async function measurePeakMemory(place: Place, program: Program): Promise<number> {
  const preload = join(place.folder, "peak-memory.cjs");
  writeFileSync(
    preload,
    `const { readFileSync, writeSync } = require("node:fs");
process.on("exit", () => writeSync(2, readFileSync("/proc/self/status", "utf8").match(/VmHWM:.*/)[0] + "\\n"));
`,
  );
  const output = await runProgram({
    ...program,
    env: { ...program.env, NODE_OPTIONS: `--require=${preload}` },
  });
  const peakKb = /VmHWM:\s*(\d+) kB/.exec(output)?.[1];
  if (peakKb === undefined) throw new Error(`${program.path} did not tell its peak memory:\n${output}`);
  return Number(peakKb) / 1024;
}
