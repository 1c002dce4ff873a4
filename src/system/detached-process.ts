import { spawn } from "node:child_process";
import { closeSync, realpathSync, writeSync } from "node:fs";

/** How the start of a detached copy of this program ended. */
export type DetachedStart =
  | { readonly kind: "ready"; readonly pid: number }
  | { readonly kind: "ended"; readonly exitCode: number | null }
  | { readonly kind: "failed"; readonly reason: string };

const REPORT_VARIABLE = "TSREPMGRD_REPORT_TO";
const REPORT_DESCRIPTOR = 3;

/**
 * Starts this program once more with the same arguments, in a session of its own, with standard input and output on
 * /dev/null. Resolves when it has said that it is ready, or has ended. Until then its errors are seen on our standard
 * error; `keepsStandardError` lets it keep that for good, whoever waits for its end.
 */
export function startDetached(
  argv: readonly string[],
  {
    keepsStandardError,
    onStandardError,
  }: { readonly keepsStandardError: boolean; readonly onStandardError: (text: string) => void },
): Promise<DetachedStart> {
  const child = spawn(process.execPath, [...process.execArgv, ...argv.slice(1)], {
    detached: true,
    stdio: ["ignore", "ignore", keepsStandardError ? "inherit" : "pipe", "pipe"],
    env: { ...process.env, [REPORT_VARIABLE]: String(REPORT_DESCRIPTOR) },
  });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ kind: "failed", reason: error.message }));
    child.stderr?.setEncoding("utf8").on("data", onStandardError);
    child.once("close", (exitCode) => resolve({ kind: "ended", exitCode }));
    child.stdio[REPORT_DESCRIPTOR]?.once("data", () => {
      child.stdio[REPORT_DESCRIPTOR]?.destroy();
      child.stderr?.destroy();
      child.unref();
      resolve({ kind: "ready", pid: child.pid ?? 0 });
    });
  });
}

/** Starts a program in a session of its own, which goes on whatever becomes of ours. Null: it could not be started. */
export function startOnItsOwn([program = "", ...words]: readonly string[]): Promise<number | null> {
  const child = spawn(program, words, { detached: true, stdio: "ignore", cwd: "/" });
  return new Promise((resolve) => {
    child.once("error", () => resolve(null));
    child.once("spawn", () => {
      child.unref();
      resolve(child.pid ?? null);
    });
  });
}

/** Null unless this process was started by `startDetached`; then how to say, once, that it is ready. */
export function takeReadyReport(): (() => void) | null {
  if (process.env[REPORT_VARIABLE] === undefined) return null;
  // What the daemon starts must not take itself for such a copy.
  Reflect.deleteProperty(process.env, REPORT_VARIABLE);
  let isSaid = false;
  return () => {
    if (isSaid) return;
    isSaid = true;
    try {
      writeSync(REPORT_DESCRIPTOR, "ready\n");
      closeSync(REPORT_DESCRIPTOR);
    } catch {
      // The starter has gone; the daemon does not need it.
    }
  };
}

/** What `ps` and `pgrep` show. */
export function setProcessTitle(title: string): void {
  process.title = title;
}

export function changeDirectory(path: string): void {
  process.chdir(path);
}

/** The file of the command that was installed beside this daemon, and the Node that runs it. */
export function commandBesideDaemon(): readonly [node: string, file: string] {
  const own = realpathSync(process.argv[1] ?? "");
  return [process.execPath, own.replace(/tsrepmgrd\.js$/, "tsrepmgr.js")];
}
