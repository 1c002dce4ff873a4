import { quote } from "shell-quote";
import type { ContainerNode } from "../harness/containers.js";

/** The first of the lines that does not come after the ones before it; null when they all come, in this order. */
export function findMissing(log: string, lines: readonly string[]): string | null {
  let rest = log;
  for (const line of lines) {
    const place = rest.indexOf(line);
    if (place < 0) return line;
    rest = rest.slice(place + line.length);
  }
  return null;
}

export interface LogWait {
  readonly path: string;
  readonly line: string;
  readonly timeoutSeconds: number;
}

/** Waits in the container until a log has this line, and answers the log; throws with what there is of it. */
export async function waitForLine(
  node: ContainerNode,
  { path, line, timeoutSeconds }: LogWait,
): Promise<string> {
  const wait = `until grep -qsF -e "$0" ${path}; do sleep 0.2; done`;
  const { exitCode } = await node.execute(
    `timeout ${String(timeoutSeconds)} ${quote(["sh", "-c", wait, line])}`,
    { user: "root" },
  );
  const log = (await node.execute(`cat ${path}`, { user: "root" })).output;
  if (exitCode !== 0) throw new Error(`${node.name}: no line "${line}" in ${path}:\n${log}`);
  return log;
}
