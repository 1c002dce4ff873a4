import type { ChangingCase } from "./changing-cases.js";

const primaryAlone = "DELETE FROM repmgr.nodes WHERE node_id <> 1";

const primaryUnregister: readonly ChangingCase[] = [
  { node: "n1", line: "repmgr -f {conf} primary unregister" },
  { node: "n1", line: "repmgr -f {conf} primary unregister -F" },
  { node: "n1", line: "repmgr -f {conf} primary unregister", records: primaryAlone },
  { node: "n1", line: "repmgr -f {conf} primary unregister -F", records: primaryAlone },
  { node: "n1", line: "repmgr -f {conf} primary unregister -F --dry-run", records: primaryAlone },
  { node: "n1", line: "repmgr -f {conf} master unregister --node-id=1 --force", records: primaryAlone },
  { node: "n1", line: "repmgr -f {conf} primary unregister --node-id=2" },
  { node: "n1", line: "repmgr -f {conf} primary unregister --node-id=2 -F" },
  { node: "n1", line: "repmgr -f {conf} primary unregister --node-id=4" },
  { node: "n1", line: "repmgr -f {conf} primary unregister --node-id=77" },
  { node: "n2", line: "repmgr -f {conf} primary unregister" },
  {
    node: "n1",
    line: "repmgr -f {conf} primary unregister --node-id=3",
    records:
      "UPDATE repmgr.nodes SET type = 'primary', upstream_node_id = NULL, active = false WHERE node_id = 3",
  },
  {
    node: "n1",
    line: "repmgr -f {conf} primary unregister --node-id=3 -F",
    records:
      "UPDATE repmgr.nodes SET type = 'primary', upstream_node_id = NULL, active = false WHERE node_id = 3",
  },
  { node: "n5", line: "repmgr -f {conf} primary unregister" },
];

const standbyUnregister: readonly ChangingCase[] = [
  { node: "n3", line: "repmgr -f {conf} standby unregister" },
  { node: "n3", line: "repmgr -f {conf} standby unregister -F" },
  { node: "n3", line: "repmgr -f {conf} standby unregister --dry-run" },
  { node: "n1", line: "repmgr -f {conf} standby unregister --node-id=3" },
  { node: "w4", line: "repmgr -f {conf} standby unregister --node-id=3" },
  { node: "n3", line: "repmgr -f {conf} standby unregister --node-name=n2" },
  { node: "n3", line: "repmgr -f {conf} standby unregister --node-name=nosuch" },
  { node: "n3", line: "repmgr -f {conf} standby unregister --node-id=77" },
  { node: "n3", line: "repmgr -f {conf} standby unregister --node-id=4" },
  { node: "n1", line: "repmgr -f {conf} standby unregister" },
  {
    node: "n2",
    line: "repmgr -f {conf} standby unregister",
    records: "UPDATE repmgr.nodes SET upstream_node_id = 2 WHERE node_id = 3",
  },
  {
    node: "n3",
    line: "repmgr -f {conf} standby unregister",
    records: "DELETE FROM repmgr.nodes WHERE node_id = 3",
  },
  {
    node: "n1",
    line: "repmgr -f {conf} standby unregister --node-id=3",
    records: "UPDATE repmgr.nodes SET active = false, conninfo = 'host=nowhere.invalid' WHERE node_id = 3",
  },
  { node: "n5", line: "repmgr -f {conf} standby unregister --node-id=3" },
];

/** Every option of `primary unregister` and `standby unregister`. */
export const unregisterCases: readonly ChangingCase[] = [...primaryUnregister, ...standbyUnregister];
