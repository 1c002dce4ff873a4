import { askDaemon, type DaemonFacts } from "../../coordination/ask-daemon.js";
import { createStandingSession } from "../../coordination/standing-session.js";
import { exitCodes } from "../../errors/exit-codes.js";
import { UserError } from "../../errors/user-error.js";
import { parseConninfo } from "../../model/conninfo.js";
import { runShellCommand } from "../../system/shell-command.js";
import type { CommandContext } from "../define-command.js";

const ANSWER_WITHIN_MS = 3000;
const POLL_EVERY_MS = 100;
const DEFAULT_WAIT_S = 15;

export interface WaitOptions {
  readonly wait: number | true | undefined;
  readonly "no-wait": boolean;
}

/** Null: do not wait. A bare `--wait` is the default time; the reference waits for ever there. */
export function readWaitMs({ wait, "no-wait": noWait }: WaitOptions): number | null {
  if (noWait || wait === 0) return null;
  return (typeof wait === "number" ? wait : DEFAULT_WAIT_S) * 1000;
}

/** The daemon of this node as its server sees it; null when the server does not answer. */
export async function askOwnDaemon({ databases, settings }: CommandContext): Promise<DaemonFacts | null> {
  const session = createStandingSession({ databases, conninfo: parseConninfo(settings.conninfo) });
  const answer = await session.use(ANSWER_WITHIN_MS, askDaemon);
  void session.close();
  return answer.kind === "answered" ? answer.value : null;
}

/** Throws UserError (code 27) when the command fails. */
export async function runServiceCommand(context: CommandContext, command: string): Promise<void> {
  const { reporter, processes, interrupted } = context;
  reporter.notice(`executing: "${command}"`);
  const result = await runShellCommand(processes, command, { signal: interrupted });
  interrupted.throwIfAborted();
  if (result.exitCode === 0) return;
  const output = result.stderr.trim();
  throw new UserError(exitCodes.repmgrdService, {
    message: "the service command failed",
    detail: [
      `command "${command}": ${result.exitCode === null ? "did not end by itself" : `exit code ${result.exitCode}`}`,
      ...(output === "" ? [] : [output]),
    ].join("\n"),
    hint: "execute it by hand as this user, and look into the daemon's log",
  });
}

/** False when it has not come about in time. */
export async function waitFor(
  { clock, interrupted }: CommandContext,
  waitMs: number,
  isDone: () => Promise<boolean>,
): Promise<boolean> {
  const deadline = clock.monotonic() + waitMs;
  while (!(await isDone())) {
    if (clock.monotonic() > deadline) return false;
    await clock.sleep(POLL_EVERY_MS, interrupted);
  }
  return true;
}

/** Throws UserError (code 1) when the setting is empty. */
export function requireServiceCommand(
  { settings }: CommandContext,
  name: "repmgrd_service_start_command" | "repmgrd_service_stop_command",
): string {
  const command = settings[name];
  if (command !== "") return command;
  throw new UserError(exitCodes.badConfiguration, {
    message: `"${name}" is not set`,
    hint: `set "${name}" in repmgr.conf, for example to a systemctl command`,
  });
}
