import { onNodes } from "./case.js";
import type { ChangingCase } from "./changing-cases.js";

/** Every option of `cluster cleanup`; the history has rows of n2 and n3, new ones and some ten days old. */
export const cleanupCases: readonly ChangingCase[] = [
  ...onNodes(
    ["n1"],
    [
      "repmgr -f {conf} cluster cleanup",
      "repmgr -f {conf} cluster cleanup -k 5",
      "repmgr -f {conf} cluster cleanup --keep-history=5 --node-id=2",
      "repmgr -f {conf} cluster cleanup --keep-history=365",
      "repmgr -f {conf} cluster cleanup --keep-history=0",
      "repmgr -f {conf} cluster cleanup --keep-history=-1",
      "repmgr -f {conf} cluster cleanup -k x",
      "repmgr -f {conf} cluster cleanup --node-id=3",
      "repmgr -f {conf} cluster cleanup --node-id=77",
      "repmgr -f {conf} cluster cleanup --dry-run",
    ],
  ),
  ...onNodes(["n2", "w4", "n5"], ["repmgr -f {conf} cluster cleanup"]),
  {
    node: "n1",
    line: "repmgr -f {conf} cluster cleanup",
    records: "UPDATE repmgr.nodes SET active = false WHERE node_id = 1",
  },
];
