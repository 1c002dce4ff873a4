import { spawn, type ChildProcess } from "node:child_process";
import { symlinkSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { evidenceDirectory, newDirectorySync, testEnvironment } from "./test-run.js";

export { writeRepmgrConf } from "./repmgr-conf.js";

export interface ProgramResult {
  /** Null when a signal ended the program. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams in the order of arrival. */
  readonly output: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  /** Laid over the harness' environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The name by which the program is called; `repmgr` goes through a symlink. */
  readonly program?: ProgramName;
  readonly input?: string;
  /** After this time the program is killed; default 60000. */
  readonly timeoutMs?: number;
  /** Called with standard error as it comes. */
  readonly onStderr?: (text: string) => void;
}

type ProgramName = "tsrepmgr" | "tsrepmgrd" | "repmgr" | "repmgrd";

export interface StartedProgram {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Resolves once standard error has the text; throws when the program ends without. */
  hasSaid(text: string): Promise<void>;
  readonly result: Promise<ProgramResult>;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const binDirectory = resolve(import.meta.dirname, "../../bin");
const running = new Set<ChildProcess>();

/** Runs the built program to its end. Any exit code is a result; the output is kept for the password search. */
export function runProgram(args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  return startProgram(args, options).result;
}

/** Starts the built program; `result` settles when it has ended and its output is complete. */
export function startProgram(args: readonly string[], options: ProgramOptions = {}): StartedProgram {
  const child = spawn(process.execPath, [findProgram(options.program ?? "tsrepmgr"), ...args], {
    cwd: options.cwd ?? newDirectorySync("cwd"),
    env: { ...testEnvironment(), ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  running.add(child);
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const result = collectResult(child, args, options.onStderr);
  if (child.pid === undefined) throw new Error("the program did not start");
  return {
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    hasSaid: (text) => awaitText(child, text),
    result,
  };
}

function awaitText(child: ChildProcess, text: string): Promise<void> {
  let said = "";
  return new Promise((fulfil, reject) => {
    child.stderr?.on("data", (piece: string) => {
      said += piece;
      if (said.includes(text)) fulfil();
    });
    child.on("close", () => reject(new Error(`the program ended without saying "${text}":\n${said}`)));
  });
}

/** Ends the programs of this test file that still run. */
export function killAllPrograms(): void {
  for (const child of running) child.kill("SIGKILL");
}

type PipedChild = ReturnType<typeof spawn> & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream };

function collectResult(
  child: ChildProcess,
  args: readonly string[],
  onStderr: ProgramOptions["onStderr"],
): Promise<ProgramResult> {
  const pieces: { readonly stream: "stdout" | "stderr"; readonly text: string }[] = [];
  for (const stream of ["stdout", "stderr"] as const) {
    (child as PipedChild)[stream]
      .setEncoding("utf8")
      .on("data", (text: string) => pieces.push({ stream, text }));
  }
  if (onStderr !== undefined) child.stderr?.on("data", onStderr);
  const textOf = (stream?: "stdout" | "stderr"): string =>
    pieces
      .filter((piece) => stream === undefined || piece.stream === stream)
      .map((piece) => piece.text)
      .join("");
  return new Promise((fulfil, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => {
      running.delete(child);
      const result = { exitCode, stdout: textOf("stdout"), stderr: textOf("stderr"), output: textOf() };
      keepOutput(args, result).then(() => fulfil(result), reject);
    });
  });
}

async function keepOutput(args: readonly string[], result: ProgramResult): Promise<void> {
  const directory = await mkdtemp(join(evidenceDirectory(), "program-"));
  const header = `${JSON.stringify(args)} exit ${String(result.exitCode)}\n`;
  await writeFile(join(directory, "output"), header + result.output);
}

function findProgram(name: ProgramName): string {
  const target = join(binDirectory, name.endsWith("d") ? "tsrepmgrd.js" : "tsrepmgr.js");
  if (name.startsWith("ts")) return target;
  const link = join(newDirectorySync("bin"), name);
  symlinkSync(target, link);
  return link;
}
