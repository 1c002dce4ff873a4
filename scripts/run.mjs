// Starting programs and ending well: on success, on failure and on Ctrl-C the same cleanups run, newest first.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/** A failure that is told without a stack. */
export class Failure extends Error {}

export const heading = (text) => console.log(`\n== ${text}`);

const KILL_AFTER_MS = 10_000;

/** The programs that run now, each with the way to signal it. */
const running = new Set();
const cleanups = [];
let interruptedBy = null;

/** Registers what has to be undone at the end; the returned function does it now. */
export function atEnd(undo) {
  cleanups.push(undo);
  return async () => {
    const index = cleanups.indexOf(undo);
    if (index >= 0) cleanups.splice(index, 1);
    await undo();
  };
}

function interrupt(signal) {
  if (interruptedBy !== null) return;
  interruptedBy = signal;
  for (const signalProgram of running) signalProgram(signal);
  setTimeout(
    () => running.forEach((signalProgram) => signalProgram.isOwnGroup && signalProgram("SIGKILL")),
    KILL_AFTER_MS,
  ).unref();
}

export function throwIfInterrupted() {
  if (interruptedBy !== null) throw new Failure(`interrupted by ${interruptedBy}`);
}

/**
 * Runs a program to its end and answers its exit code, 128 and more when a signal ended it. Takes the options of
 * `spawn`; `detached` gives it a process group that is signalled as a whole. With `capture` the answer is
 * { exitCode, output } with what it wrote to both streams.
 */
export async function run(program, args, { capture = false, ...options } = {}) {
  throwIfInterrupted();
  const output = capture ? "pipe" : "inherit";
  const child = spawn(program, args, { stdio: ["ignore", output, output], ...options });
  const signalProgram = (signal) => {
    try {
      process.kill(options.detached ? -child.pid : child.pid, signal);
    } catch {
      // it has ended meanwhile
    }
  };
  signalProgram.isOwnGroup = options.detached === true;
  if (child.pid !== undefined) running.add(signalProgram);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (text += chunk));
  const exitCode = await new Promise((resolve, reject) => {
    child.on("error", (error) => reject(new Failure(`cannot run ${program}: ${error.message}`)));
    child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  }).finally(() => running.delete(signalProgram));
  throwIfInterrupted();
  return capture ? { exitCode, output: text } : exitCode;
}

/**
 * Runs the work of a script, then every cleanup, and ends the process with the answered exit code. With
 * `isQuietWhenInterrupted` somebody else, such as the program that was run, tells of an interruption.
 */
export async function runScript(work, { isQuietWhenInterrupted = false } = {}) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => interrupt(signal));
  // A reader that went away (`npm test | head`) is an interruption like Ctrl-C.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => interrupt("SIGTERM"));
  let exitCode;
  try {
    exitCode = await work();
  } catch (error) {
    exitCode = interruptedBy === null ? 1 : 128 + constants.signals[interruptedBy];
    const isQuiet = interruptedBy !== null && isQuietWhenInterrupted;
    if (!isQuiet) console.error(error instanceof Failure ? `\nerror: ${error.message}` : error);
  }
  for (let undo = cleanups.pop(); undo !== undefined; undo = cleanups.pop()) {
    try {
      await undo();
    } catch (error) {
      exitCode ||= 1;
      console.error(`error: could not clean up: ${error.message}`);
    }
  }
  process.exit(exitCode);
}
