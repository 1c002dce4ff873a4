import type { Cluster } from "../cluster.js";
import type { NodeName } from "../node.js";
import { onNodes } from "./case.js";
import type { ReadingState } from "./reading-states.js";

const hosts: readonly NodeName[] = ["n1", "n2", "n3", "w4", "n5"];

const lines: readonly string[] = ["matrix", "crosscheck"].flatMap((verb) => [
  `repmgr -f {conf} cluster ${verb}`,
  `repmgr -f {conf} cluster ${verb} --csv`,
]);

/**
 * What another host asks for is run by the reference where the extension is, so that ours has to understand its
 * answers, and by ours where it is not.
 */
const remoteProgram = `#!/bin/sh
case "$*" in *nolibs*) exec /opt/ours/bin/repmgr "$@" ;; esac
exec /opt/reference/bin/repmgr "$@"`;

/** One key for all hosts, and every host known; they stay until they are refused. */
export async function allowLogins({ node }: Pick<Cluster, "node">): Promise<void> {
  if ((await node("n1").run("test -f ~/.ssh/id_ed25519")).exitCode === 0) return;
  const key = await node("n1").expectSuccess(
    "mkdir -p -m 700 ~/.ssh && rm -f ~/.ssh/id_ed25519 && ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519 && cat ~/.ssh/id_ed25519",
  );
  for (const name of hosts) {
    await node(name).administer(
      `cat > /usr/local/bin/repmgr <<'END OF FILE'\n${remoteProgram}\nEND OF FILE\nchmod 755 /usr/local/bin/repmgr`,
    );
    await node(name).expectSuccess(
      `mkdir -p -m 700 ~/.ssh && cd ~/.ssh && umask 077 && cat > id_ed25519 <<'END OF FILE'\n${key}END OF FILE
      ssh-keygen -y -f id_ed25519 > authorized_keys && ssh-keyscan -t ed25519 ${hosts.join(" ")} > known_hosts 2>/dev/null`,
    );
  }
}

async function refuseLogins({ node }: Cluster): Promise<void> {
  for (const name of hosts) await node(name).administer("rm -rf ~postgres/.ssh /usr/local/bin/repmgr");
}

const nothing = async (): Promise<void> => {};

/** What `cluster matrix` and `cluster crosscheck` are asked of; the reference needs seconds for each. */
export const sshStates: readonly ReadingState[] = [
  { name: "hosts that let nobody in", enter: nothing, leave: nothing, cases: onNodes(["n1"], lines) },
  {
    name: "hosts that let each other in",
    enter: allowLogins,
    leave: refuseLogins,
    cases: [...onNodes(["n1"], lines), ...onNodes(["n2"], lines.slice(0, 2))],
  },
  {
    name: "hosts that let each other in, a standby down",
    enter: async (cluster) => {
      await allowLogins(cluster);
      await cluster.stop("n3");
    },
    leave: async (cluster) => {
      await refuseLogins(cluster);
      await cluster.start("n3");
      await cluster.awaitReplay();
    },
    cases: onNodes(["n1"], lines),
  },
];
