import type { FaultCluster } from "../fault-cluster.js";
import { configFile, type FaultNode } from "../fault-node.js";
import { cut } from "../links.js";
import type { Random } from "./random.js";

export interface RandomFault {
  readonly name: string;
  begin(): Promise<void>;
}

const ignore = (): void => {};

/** Half of the faults befall the primary. `primary` is null while there is none. */
export function chooseFault(
  { servers }: FaultCluster,
  primary: FaultNode | null,
  random: Random,
): RandomFault {
  const victim = primary !== null && random.chance(0.5) ? primary : random.pick(servers);
  const others = servers.filter((node) => node !== victim);
  const other = random.pick(others);
  const on = (name: string, begin: () => Promise<unknown>): RandomFault => ({
    name: `${name} ${victim.name}`,
    begin: async () => {
      await begin();
    },
  });
  return random.pick([
    () => on("kill the server of", () => victim.killServer()),
    () => on("kill the daemon of", () => victim.killDaemon()),
    () => on("kill", () => victim.killContainer()),
    () => on("freeze", () => victim.freeze()),
    () => on("cut off", () => cut(victim, others)),
    () => on(`cut the link of ${other.name} and`, () => cut(victim, [other])),
    () => on(`lose what ${other.name} sends to`, () => other.stopSendingTo(victim)),
    () => on("switch over to", () => switchOver(victim)),
  ])();
}

/** To the node that is the primary it is refused; any end of it is one. */
async function switchOver(node: FaultNode): Promise<void> {
  await node.attempt(`timeout 55 repmgr -f ${configFile} standby switchover --siblings-follow`).catch(ignore);
}

/** What an init system and a network that heals do: everything that was taken is there again. */
export async function endFault({ nodes }: FaultCluster): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      await node.thaw();
      await node.startContainer();
      await node.restoreLinks();
      await node.startDaemon();
      // A server that its daemon is just rejoining cannot be started, and need not be.
      await node.startServer().catch(ignore);
    }),
  );
}
