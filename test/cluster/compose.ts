import { execFile, spawn, spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { isRunning } from "../harness/containers-engine.js";

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ComposeProject {
  readonly name: string;
  /** Runs an action of the compose program; throws with its output when it ends with another exit code than 0. */
  run(...words: readonly string[]): Promise<string>;
  /** Runs a program in a service as `postgres`. Any exit code is a result. */
  execute(service: string, ...words: readonly string[]): Promise<CommandResult>;
  /** Names of the containers, networks and volumes that the project has. */
  listLeft(): Promise<readonly string[]>;
  /** Removes everything, now and not at the end of the process. */
  remove(): Promise<void>;
}

const file = resolve(import.meta.dirname, "../../docker/compose.yml");
const projectPrefix = "tsrepmgr-compose-";
const image = "tsrepmgr-tests:compose";
const projectLabel = "com.docker.compose.project";

/** The words that call compose, docker-compose first; null without. */
export function findCompose(): readonly string[] | null {
  const candidates = [["docker-compose"], ["docker", "compose"]];
  const isThere = ([program = "", ...words]: readonly string[]): boolean =>
    spawnSync(program, [...words, "version"], { stdio: "ignore" }).status === 0;
  return candidates.find(isThere) ?? null;
}

/** A project of compose.yml named after `owner`, a process; also removed when this process dies. */
export async function openComposeProject(compose: readonly string[], owner: number): Promise<ComposeProject> {
  await removeAbandoned();
  const name = `${projectPrefix}${String(owner)}`;
  const oldImage = await findImage();
  startReaper(name);
  const call = (...words: readonly string[]): Promise<CommandResult> =>
    runProgram([...compose, "--project-name", name, "--file", file, ...words]);
  return {
    name,
    run: async (...words) => expectSuccess(words.join(" "), await call(...words)),
    execute: (service, ...words) => call("exec", "-T", "--user", "postgres", service, ...words),
    listLeft: () => listOf(name),
    remove: async () => {
      await call("down", "--volumes", "--timeout", "0");
      await removeProject(name);
      if (oldImage !== "" && oldImage !== (await findImage())) await runProgram(["docker", "rmi", oldImage]);
    },
  };
}

function runProgram([program = "", ...words]: readonly string[]): Promise<CommandResult> {
  const env = { ...process.env, TSREPMGR_IMAGE: image };
  return new Promise((fulfil) => {
    execFile(program, words, { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      fulfil({ exitCode, stdout, stderr });
    });
  });
}

function expectSuccess(what: string, { exitCode, stdout, stderr }: CommandResult): string {
  if (exitCode === 0) return stdout;
  throw new Error(`${what} ended with ${String(exitCode)}:\n${stdout}${stderr}`);
}

async function findImage(): Promise<string> {
  return (await runProgram(["docker", "images", "--quiet", "--no-trunc", image])).stdout.trim();
}

const kinds = [
  { list: ["ps", "--all"], remove: ["rm", "--force", "--volumes"], format: "{{.Names}}" },
  { list: ["network", "ls"], remove: ["network", "rm"], format: "{{.Name}}" },
  { list: ["volume", "ls"], remove: ["volume", "rm"], format: "{{.Name}}" },
] as const;

const listKind = async ({ list, format }: (typeof kinds)[number], project: string): Promise<string[]> => {
  const filter = `label=${projectLabel}=${project}`;
  const { stdout } = await runProgram(["docker", ...list, "--filter", filter, "--format", format]);
  return stdout.split("\n").filter((line) => line !== "");
};

async function listOf(project: string): Promise<string[]> {
  return (await Promise.all(kinds.map((kind) => listKind(kind, project)))).flat();
}

async function removeProject(project: string): Promise<void> {
  for (const kind of kinds) {
    const names = await listKind(kind, project);
    if (names.length > 0) await runProgram(["docker", ...kind.remove, ...names]);
  }
}

/** What runs whose process is gone have left: of an engine without our reaper, or after a crash of the machine. */
async function removeAbandoned(): Promise<void> {
  const format = `{{.Label "${projectLabel}"}}`;
  const found = await Promise.all(
    kinds.map(({ list }) =>
      runProgram(["docker", ...list, "--filter", `label=${projectLabel}`, "--format", format]),
    ),
  );
  const projects = new Set(found.flatMap(({ stdout }) => stdout.split("\n")));
  for (const project of projects) {
    const [prefix, owner] = [project.slice(0, projectPrefix.length), project.slice(projectPrefix.length)];
    if (prefix === projectPrefix && !isRunning(Number(owner))) await removeProject(project);
  }
}

/** Cleans up after the end of this process, however it comes. */
function startReaper(project: string): void {
  const filter = `--filter label=${projectLabel}=${project}`;
  const script = `
    cat > /dev/null
    docker ps --all --quiet ${filter} | xargs --no-run-if-empty docker rm --force --volumes
    docker network ls --quiet ${filter} | xargs --no-run-if-empty docker network rm
    docker volume ls --quiet ${filter} | xargs --no-run-if-empty docker volume rm`;
  const reaper = spawn("sh", ["-c", script], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  reaper.unref();
}
