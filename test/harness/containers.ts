import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GenericContainer, Wait, type ExecResult, type StartedTestContainer } from "testcontainers";
import { inject } from "vitest";
import { connectToEngine, ownerLabel, type Engine } from "./containers-engine.js";

interface ExecuteOptions {
  /** Default `postgres`. */
  readonly user?: "postgres" | "root";
  /** Default: the user's home. */
  readonly directory?: string;
}

interface StartOptions {
  /** Default: the image under test. */
  readonly image?: string;
  /** A directory that lies in memory. */
  readonly memoryDirectory?: string;
  /** Default: whatever the memory allows. */
  readonly memoryDirectorySize?: string;
  /** What root may do beyond what the engine lets it, for example `NET_ADMIN`. */
  readonly capabilities?: readonly string[];
  /** A shell's line that `postgres` runs as process 1 instead of an init process and what the image runs. */
  readonly firstProcess?: string;
}

export interface ContainerNode {
  /** What the engine calls the container. */
  readonly id: string;
  /** The other containers of the network know it by this name. */
  readonly name: string;
  readonly address: string;
  /** Runs a line in a login shell without input. Any exit code is a result; the transcript keeps it. */
  execute(line: string, options?: ExecuteOptions): Promise<ExecResult>;
  /** Runs a line; throws with its output when it ends with another exit code than 0. */
  expectSuccess(line: string, options?: ExecuteOptions): Promise<ExecResult>;
  /** Appends lines to a file that then belongs to `postgres`. */
  appendLines(path: string, lines: readonly string[]): Promise<void>;
}

/** The node with this number, counted from 1 in the order of their start. */
export function nodeAt(nodes: readonly ContainerNode[], number: number): ContainerNode {
  const found = nodes[number - 1];
  if (found === undefined) throw new Error(`there is no node ${number}`);
  return found;
}

export interface ContainerNetwork {
  /** The first three numbers of every address, for example `172.7.7`. */
  readonly prefix: string;
  /** Starts a container; `hostNumber` is the last number of its address. */
  startNode(name: string, hostNumber: number, options?: StartOptions): Promise<ContainerNode>;
  /** Writes what was run and the servers' logs to a folder and answers its path. */
  keepLogs(): Promise<string>;
  remove(): Promise<void>;
}

interface StartedNode extends ContainerNode {
  readonly container: StartedTestContainer;
  readonly transcript: string[];
}

const homes = { postgres: "/var/lib/postgresql", root: "/root" };

class AddressedContainer extends GenericContainer {
  withFirstProcess(line: string): this {
    this.hostConfig.Init = false;
    return this.withUser("postgres").withCommand([
      "/bin/sh",
      "-c",
      `echo Server listening on nothing; ${line}`,
    ]);
  }

  withAddress(network: string, address: string, alias: string): this {
    this.createOpts.NetworkingConfig = {
      EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: address }, Aliases: [alias] } },
    };
    // Servers leave orphans when they are stopped; an init process waits for them.
    this.hostConfig.Init = true;
    return this.withNetworkMode(network);
  }
}

/** Makes a network on the first prefix (`a.b.c` of a.b.c.0/24) that is free. */
export async function startNetwork(prefixes: readonly string[]): Promise<ContainerNetwork> {
  const engine = await connectToEngine();
  const { name, prefix, network } = await createFirstFree(engine, prefixes);
  const nodes: StartedNode[] = [];
  return {
    prefix,
    startNode: async (nodeName, hostNumber, options = {}) => {
      const {
        image = inject("nodeImage").name,
        memoryDirectory,
        memoryDirectorySize,
        capabilities = [],
        firstProcess,
      } = options;
      const tmpfsOptions = memoryDirectorySize === undefined ? "rw" : `rw,size=${memoryDirectorySize}`;
      const address = `${prefix}.${String(hostNumber)}`;
      const prepared = new AddressedContainer(image)
        .withAddress(name, address, nodeName)
        .withHostname(nodeName)
        .withTmpFs(memoryDirectory === undefined ? {} : { [memoryDirectory]: tmpfsOptions })
        .withAddedCapabilities(...capabilities)
        .withLabels(labels())
        .withWaitStrategy(Wait.forLogMessage("Server listening on"));
      const container = await (
        firstProcess === undefined ? prepared : prepared.withFirstProcess(firstProcess)
      ).start();
      const node = createNode(container, nodeName, address);
      nodes.push(node);
      return node;
    },
    keepLogs: () => keepLogs(nodes),
    remove: async () => {
      await Promise.all(nodes.map(({ container }) => container.stop({ timeout: 0 })));
      await network.remove();
    },
  };
}

const labels = (): Record<string, string> => ({ [ownerLabel]: String(inject("containerOwner")) });

async function createFirstFree(engine: Engine, prefixes: readonly string[]) {
  const failures: string[] = [];
  for (const prefix of prefixes) {
    const name = `tsrepmgr-tests-${String(inject("containerOwner"))}-${prefix}`;
    const IPAM = { Config: [{ Subnet: `${prefix}.0/24` }] };
    try {
      return { name, prefix, network: await engine.createNetwork({ Name: name, Labels: labels(), IPAM }) };
    } catch (error) {
      failures.push(`${prefix}.0/24: ${String(error)}`);
    }
  }
  throw new Error(`no subnet is free\n${failures.join("\n")}`);
}

function createNode(container: StartedTestContainer, name: string, address: string): StartedNode {
  const transcript: string[] = [];
  const execute: ContainerNode["execute"] = async (line, { user = "postgres", directory } = {}) => {
    const home = homes[user];
    const options = { user, workingDir: directory ?? home, env: { HOME: home } };
    const result = await container.exec(["bash", "-lc", line], options);
    transcript.push(
      `${user}@${name}:${options.workingDir}$ ${line}\n${result.output}[exit ${result.exitCode}]\n`,
    );
    return result;
  };
  const expectSuccess: ContainerNode["expectSuccess"] = async (line, options) => {
    const result = await execute(line, options);
    if (result.exitCode !== 0) {
      throw new Error(`${name}: ${line}\nended with ${String(result.exitCode)}:\n${result.output}`);
    }
    return result;
  };
  return {
    id: container.getId(),
    name,
    address,
    container,
    transcript,
    execute,
    expectSuccess,
    appendLines: async (path, lines) => {
      await expectSuccess(`cat >> ${path} <<'END OF LINES'\n${lines.join("\n")}\nEND OF LINES`);
    },
  };
}

async function keepLogs(nodes: readonly StartedNode[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "tsrepmgr-containers-"));
  for (const { name, transcript, execute } of nodes) {
    await writeFile(join(directory, `${name}-transcript`), transcript.join("\n"));
    const serverLogs = await execute("tail -n +1 /var/log/postgresql/*", { user: "root" });
    await writeFile(join(directory, `${name}-postgresql.log`), serverLogs.output);
  }
  return directory;
}
