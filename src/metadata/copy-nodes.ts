import type { NodeRecord } from "../model/node-record.js";
import type { Database } from "../postgres/database.js";
import { insertNode, listNodes } from "./nodes.js";

/**
 * Makes the node records of a witness equal to `records`, in one transaction, so that nobody ever reads half of them.
 * False when they were equal already: nothing is written then. Throws DatabaseError.
 */
export function copyNodes(witness: Database, records: readonly NodeRecord[]): Promise<boolean> {
  return witness.transaction(async () => {
    await witness.query("LOCK TABLE repmgr.nodes IN SHARE ROW EXCLUSIVE MODE");
    if (isEqual(await listNodes(witness), records)) return false;
    await witness.query("SET CONSTRAINTS ALL DEFERRED");
    await witness.query("DELETE FROM repmgr.nodes");
    for (const record of records) await insertNode(witness, record);
    return true;
  });
}

function isEqual(copy: readonly NodeRecord[], records: readonly NodeRecord[]): boolean {
  const byId = (a: NodeRecord, b: NodeRecord): number => a.nodeId - b.nodeId;
  const wanted = [...records].sort(byId);
  return (
    copy.length === wanted.length &&
    [...copy].sort(byId).every((record, index) => isSameRecord(record, wanted[index]))
  );
}

function isSameRecord(copy: NodeRecord, record: NodeRecord | undefined): boolean {
  return (
    record !== undefined &&
    (Object.keys(copy) as (keyof NodeRecord)[]).every((key) => copy[key] === record[key])
  );
}
