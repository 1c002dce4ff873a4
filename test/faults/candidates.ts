import { waitUntil } from "../harness/wait-until.js";
import { configFile, type FaultNode } from "./fault-node.js";

export const promoteCommand = `/opt/ours/bin/repmgr standby promote -f ${configFile} --log-to-file`;

const mark = "/tmp/promoting";

/** Gives standbys a promote_command which shows that it runs. */
export async function letCandidateRun(standbys: readonly FaultNode[], command: string): Promise<void> {
  for (const node of standbys) {
    await node.administer(`rm -f ${mark}`);
    await node.configure({ promote_command: `touch ${mark}; ${command}` });
  }
}

/** Waits for the standby that runs its promote_command. */
export async function findCandidate(standbys: readonly FaultNode[]): Promise<FaultNode> {
  return waitUntil("a candidate promotes itself", async () => {
    for (const node of standbys) {
      if ((await node.attempt(`test -e ${mark}`)).exitCode === 0) return node;
    }
    return null;
  });
}
