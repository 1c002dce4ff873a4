import type { Member } from "../model/member-report.js";
import type { Problem } from "../model/problem.js";

/**
 * Why a cluster cannot have `sync_mode=preferred`; null when it can. Commits go on without a standby by the word of a
 * majority that leaves it out: with two data nodes that is the primary and one witness.
 */
export function judgePreferred(members: readonly Pick<Member, "type">[]): Problem | null {
  const witnesses = members.filter(({ type }) => type === "witness").length;
  const dataNodes = members.length - witnesses;
  if (witnesses === 1 && dataNodes === 2) return null;
  return {
    message: '"sync_mode" "preferred" needs two data nodes and one witness',
    detail: `registered are ${count(dataNodes, "data node", "data nodes")} and ${count(witnesses, "witness", "witnesses")}`,
    hint:
      witnesses === 0
        ? 'set "sync_mode" to "quorum" or "off" in repmgr.conf until a witness is registered'
        : 'set "sync_mode" to "quorum" in repmgr.conf: with more data nodes commits go on when one is lost',
  };
}

const count = (number: number, singular: string, plural: string): string =>
  number === 1 ? `one ${singular}` : `${number} ${plural}`;
