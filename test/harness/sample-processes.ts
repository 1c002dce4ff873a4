import { execFile } from "node:child_process";
import { appendFile } from "node:fs/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);
const INTERVAL_MS = 200;

interface ProcessLine {
  readonly pid: number;
  readonly parent: number;
  readonly args: string;
}

/**
 * Writes each command line that processes of this test run show, until the returned function is called. Processes of
 * other people on this machine are not our evidence.
 */
export function sampleProcesses(root: string, file: string): () => Promise<void> {
  const seen = new Set<string>();
  const sample = async (): Promise<void> => {
    const lines = ownProcesses(await listProcesses(), root).filter((line) => !seen.has(line));
    for (const line of lines) seen.add(line);
    if (lines.length > 0) await appendFile(file, `${lines.join("\n")}\n`);
  };
  let pending: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    pending = pending.then(sample);
  }, INTERVAL_MS);
  return async () => {
    clearInterval(timer);
    await pending;
  };
}

async function listProcesses(): Promise<readonly ProcessLine[]> {
  const { stdout } = await execute("ps", ["-ww", "-eo", "pid=,ppid=,args="], { maxBuffer: 64 << 20 });
  return stdout.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return match === null ? [] : [{ pid: Number(match[1]), parent: Number(match[2]), args: match[3] ?? "" }];
  });
}

function ownProcesses(processes: readonly ProcessLine[], root: string): readonly string[] {
  const byPid = new Map(processes.map((line) => [line.pid, line]));
  const isOwn = (line: ProcessLine | undefined): boolean =>
    line !== undefined &&
    (line.pid === process.pid || line.args.includes(root) || isOwn(byPid.get(line.parent)));
  return processes.filter(isOwn).map((line) => line.args);
}
