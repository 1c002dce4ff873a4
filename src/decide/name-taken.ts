import type { NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";

/** Node names become application names, so that two active nodes of one name could not be told apart. */
export function findNameTaken(records: readonly NodeRecord[], record: NodeRecord): Problem | null {
  const holder = records.find(
    ({ active, nodeName, nodeId }) => active && nodeName === record.nodeName && nodeId !== record.nodeId,
  );
  if (holder === undefined) return null;
  return {
    message: `node ${holder.nodeId} exists already with node_name "${record.nodeName}"`,
    hint: 'give each node a name of its own: change "node_name" in repmgr.conf',
  };
}
