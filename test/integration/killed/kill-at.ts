import { expect } from "vitest";
import { runProgram, startProgram, type ProgramResult } from "../../harness/program.js";

const ANNOUNCEMENT = /^(?:NOTICE|INFO|WARNING): /;

const announcementsIn = (text: string): readonly string[] =>
  text
    .split("\n")
    .slice(0, -1)
    .filter((line) => ANNOUNCEMENT.test(line));

interface Story {
  /** Makes the state in which the command has its work to do, and gives its command line. */
  readonly prepare: (round: number) => Promise<readonly string[]>;
  /** Looks that the work is done. */
  readonly verify: () => Promise<void>;
  /** For a command that refuses where nothing is left to do, as repmgr does. */
  readonly whenDone?: { readonly isDone: () => Promise<boolean>; readonly exitCode: number };
}

/**
 * Runs the command once undisturbed to learn what it announces; then once for each announcement, killed when that
 * appears, and again: the second run must do what is left.
 */
export async function killAtEachAnnouncement({ prepare, verify, whenDone }: Story): Promise<number> {
  const undisturbed = await runProgram(await prepare(0));
  expect(undisturbed.exitCode, undisturbed.output).toBe(0);
  await verify();
  const announcements = announcementsIn(undisturbed.stderr);
  expect(announcements).not.toEqual([]);
  for (const [index, announcement] of announcements.entries()) {
    const args = await prepare(index + 1);
    const killed = await runKilled(args, index + 1);
    const wasDone = whenDone !== undefined && (await whenDone.isDone());
    const repeated = await runProgram(args);
    const account = `killed at "${announcement}":\n${killed.output}\nagain:\n${repeated.output}`;
    expect(repeated.exitCode, account).toBe(wasDone ? whenDone.exitCode : 0);
    await verify().catch((error: unknown) => {
      throw new Error(`${String(error)}\n${account}`, { cause: error });
    });
  }
  return announcements.length;
}

function runKilled(args: readonly string[], count: number): Promise<ProgramResult> {
  let stderr = "";
  const started = startProgram(args, {
    onStderr: (text) => {
      stderr += text;
      if (announcementsIn(stderr).length >= count) started.kill("SIGKILL");
    },
  });
  return started.result;
}
