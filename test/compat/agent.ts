import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import type { Engine } from "../harness/containers-engine.js";

export interface RunResult {
  /** null after a signal. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunRequest {
  readonly line: string;
  readonly user: "postgres" | "root";
  readonly path: string;
}

/** Runs lines of shell in one container; any exit code is a result, throws when a line takes too long. */
export type Agent = (request: RunRequest) => Promise<RunResult>;

const TIMEOUT_MS = 50_000;

/** Starts the agent in a container; it ends with the container. */
export async function startAgent(engine: Engine, containerId: string): Promise<Agent> {
  const source = await readFile(join(import.meta.dirname, "agent.mjs"), "utf8");
  const execution = await engine.getContainer(containerId).exec({
    Cmd: ["/opt/tsrepmgr/bin/node", "--input-type=module", "--eval", source],
    User: "root",
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await execution.start({ hijack: true, stdin: true });
  const [answers, errors] = [new PassThrough(), new PassThrough()];
  engine.modem.demuxStream(stream, answers, errors);
  errors.on("data", (chunk: Buffer) => {
    console.error(`agent: ${chunk.toString()}`);
  });

  const waiting = new Map<number, (answer: RunResult & { readonly timedOut: boolean }) => void>();
  createInterface({ input: answers }).on("line", (line) => {
    const answer = JSON.parse(line) as RunResult & { readonly id: number; readonly timedOut: boolean };
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });

  let lastId = 0;
  return (request) =>
    new Promise((fulfil, reject) => {
      const id = ++lastId;
      waiting.set(id, ({ exitCode, stdout, stderr, timedOut }) => {
        if (timedOut) reject(new Error(`${request.line}\nhas not ended in time:\n${stdout}${stderr}`));
        else fulfil({ exitCode, stdout, stderr });
      });
      stream.write(`${JSON.stringify({ id, ...request, timeoutMs: TIMEOUT_MS })}\n`);
    });
}
