import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import { newDirectorySync, testEnvironment } from "../../harness/test-run.js";
import type { TestServer } from "../../harness/postgres-server.js";
import { waitUntil } from "../../harness/wait-until.js";

const program = resolve(import.meta.dirname, "../../../bin/tsrepmgrd.js");

export interface StartedDaemon {
  readonly pid: number;
  /** Everything that it has logged so far. */
  log(): string;
  signal(name: NodeJS.Signals): void;
  /** Waits for a log line. */
  says(pattern: RegExp, timeoutMs?: number): Promise<void>;
  readonly ended: Promise<{ readonly exitCode: number | null; readonly signal: NodeJS.Signals | null }>;
}

export interface DaemonOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A daemon in the foreground without a pid file; it is killed when the test is over. */
export function startDaemon(configFile: string, { args = [], env = {} }: DaemonOptions = {}): StartedDaemon {
  const words = ["-f", configFile, "--daemonize=false", "--no-pid-file", ...args];
  const child = spawn(process.execPath, [program, ...words], {
    cwd: newDirectorySync("daemon"),
    env: { ...testEnvironment(), XDG_STATE_HOME: join(dirname(configFile), "state"), ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((fulfil) =>
    child.on("close", (exitCode, signal) => fulfil({ exitCode, signal })),
  );
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  return {
    pid: child.pid ?? 0,
    log: () => text,
    signal: (name) => {
      child.kill(name);
    },
    says: async (pattern, timeoutMs) => {
      await waitUntil(`the daemon says ${String(pattern)}`, async () => pattern.test(text), timeoutMs).catch(
        (error: unknown) => {
          throw new Error(`${String(error)}; it said:\n${text}`, { cause: error });
        },
      );
    },
    ended,
  };
}

/** Waits until its server shows this daemon: the session of one that was killed before may still be there. */
export async function waitUntilShown(daemon: StartedDaemon, server: TestServer): Promise<void> {
  await waitUntil(`the daemon of ${server.name} runs`, async () => {
    const [row] = await server.sql<{ pid: number }>("SELECT repmgr.get_repmgrd_pid() AS pid");
    return row?.pid === daemon.pid;
  });
}

/** Waits until the process is gone. */
export async function waitUntilGone(pid: number): Promise<void> {
  await waitUntil(`process ${pid} has ended`, async () => {
    const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    return status === "" || / Z /.test(status);
  });
}
