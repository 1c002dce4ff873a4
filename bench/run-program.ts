import { spawn, type ChildProcess } from "node:child_process";
import { performance } from "node:perf_hooks";

/** A program to be measured or used; `exitCodes` are those that it may end with. */
export interface Program {
  readonly path: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly exitCodes?: readonly number[];
}

const TIMEOUT_MS = 300_000;
const running = new Set<ChildProcess>();

export function killRunningPrograms(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Answers what the program wrote to both streams. Throws when it ends otherwise than expected. */
export async function runProgram(program: Program): Promise<string> {
  const child = start(program, "pipe");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  const ending = await waitForEnd(child, "close");
  requireExpectedEnd(program, ending, output);
  return output;
}

/** The wall-clock time in milliseconds from before the program is started until it is gone. */
export async function timeProgram(program: Program): Promise<number> {
  const startedAt = performance.now();
  const child = start(program, "ignore");
  const ending = await waitForEnd(child, "exit");
  const elapsed = performance.now() - startedAt;
  requireExpectedEnd(program, ending, "");
  return elapsed;
}

function start({ path, args, env }: Program, output: "pipe" | "ignore"): ChildProcess {
  const child = spawn(path, args, {
    stdio: ["ignore", output, output],
    env: { ...process.env, ...env },
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  running.add(child);
  return child;
}

function waitForEnd(child: ChildProcess, event: "exit" | "close"): Promise<number | string> {
  return new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once(event, (code: number | null, signal: string | null) => resolve(code ?? signal ?? "unknown"));
  }).finally(() => running.delete(child));
}

function requireExpectedEnd(program: Program, ending: number | string, output: string): void {
  const { path, args, exitCodes = [0] } = program;
  if (typeof ending === "number" && exitCodes.includes(ending)) return;
  throw new Error(`"${[path, ...args].join(" ")}" ended with ${ending}\n${output}`);
}
