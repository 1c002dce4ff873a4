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
  /** Of a command that, as in repmgr, refuses to be repeated: for a run that had said its last word. */
  readonly exitCodeWhenDone?: number;
}

/**
 * Runs the command once undisturbed to learn what it announces; then once for each announcement, killed when that
 * appears, and again: the second run must do what is left.
 */
export async function killAtEachAnnouncement({
  prepare,
  verify,
  exitCodeWhenDone = 0,
}: Story): Promise<number> {
  const undisturbed = await runProgram(await prepare(0));
  expect(undisturbed.exitCode, undisturbed.output).toBe(0);
  await verify();
  const announcements = announcementsIn(undisturbed.stderr);
  expect(announcements).not.toEqual([]);
  for (const [index, announcement] of announcements.entries()) {
    const args = await prepare(index + 1);
    const killed = await runKilled(args, index + 1);
    const repeated = await runProgram(args);
    const wasDone = announcementsIn(killed.stderr).length === announcements.length;
    const account = `killed at "${announcement}":\n${killed.output}\nagain:\n${repeated.output}`;
    expect(wasDone ? [0, exitCodeWhenDone] : [0], account).toContain(repeated.exitCode);
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
