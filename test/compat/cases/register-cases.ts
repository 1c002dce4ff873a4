import type { ChangingCase } from "./changing-cases.js";

const noSchema = "DROP EXTENSION IF EXISTS repmgr CASCADE; DROP SCHEMA IF EXISTS repmgr CASCADE";
const noNodes = "TRUNCATE repmgr.nodes, repmgr.events, repmgr.voting_term";
const without = (id: number): string => `DELETE FROM repmgr.nodes WHERE node_id = ${String(id)}`;

const primaryRegister: readonly ChangingCase[] = [
  { node: "n1", line: "repmgr -f {conf} primary register", records: noSchema },
  { node: "n1", line: "repmgr -f {conf} primary register --dry-run", records: noSchema },
  { node: "n1", line: "repmgr -f {conf} primary register -F", records: noSchema },
  { node: "n1", line: "repmgr -f {conf} primary register -S postgres", records: noSchema },
  { node: "n1", line: "repmgr -f {conf} primary register", records: noNodes },
  { node: "n1", line: "repmgr -f {conf} primary register" },
  { node: "n1", line: "repmgr -f {conf} primary register --dry-run" },
  { node: "n1", line: "repmgr -f {conf} master register --force" },
  {
    node: "n1",
    line: "repmgr -f {conf} primary register -F",
    settings: ["use_replication_slots=no", "priority=7", "location='there'", "replication_user='other'"],
  },
  {
    node: "n1",
    line: "repmgr -f {conf} primary register -F",
    records:
      "UPDATE repmgr.nodes SET active = false WHERE node_id = 1; UPDATE repmgr.voting_term SET term = 9",
  },
  {
    node: "n1",
    line: "repmgr -f {conf} primary register -F",
    records:
      "UPDATE repmgr.nodes SET type = 'standby' WHERE node_id = 1; UPDATE repmgr.nodes SET type = 'primary', upstream_node_id = NULL WHERE node_id = 2",
  },
  { node: "n2", line: "repmgr -f {conf} primary register" },
  { node: "n2", line: "repmgr -f {conf} primary register -F" },
];

const standbyRegister: readonly ChangingCase[] = [
  { node: "n3", line: "repmgr -f {conf} standby register", records: without(3) },
  { node: "n3", line: "repmgr -f {conf} standby register --dry-run", records: without(3) },
  { node: "n3", line: "repmgr -f {conf} standby register --wait-sync", records: without(3) },
  { node: "n3", line: "repmgr -f {conf} standby register --wait-sync=10", records: without(3) },
  { node: "n3", line: "repmgr -f {conf} standby register --wait-start=1", records: without(3) },
  { node: "n3", line: "repmgr -f {conf} standby register --upstream-node-id=1", records: without(3) },
  { node: "n3", line: "repmgr -f {conf} standby register --upstream-node-id=2", records: without(3) },
  { node: "n3", line: "repmgr -f {conf} standby register -F --upstream-node-id=2", records: without(3) },
  { node: "n3", line: "repmgr -f {conf} standby register --upstream-node-id=3", records: without(3) },
  { node: "n3", line: "repmgr -f {conf} standby register --upstream-node-id=77", records: without(3) },
  { node: "n3", line: "repmgr -f {conf} standby register -F --upstream-node-id=77", records: without(3) },
  {
    node: "n3",
    line: "repmgr -f {conf} standby register -F --upstream-node-id=77 --upstream-conninfo='host=n7'",
    records: without(3),
  },
  {
    node: "n3",
    line: "repmgr -f {conf} standby register",
    records: without(3),
    settings: ["priority=7", "location='there'", "use_replication_slots=no", "replication_user='other'"],
  },
  { node: "n3", line: "repmgr -f {conf} standby register" },
  { node: "n3", line: "repmgr -f {conf} standby register -F" },
  { node: "n3", line: "repmgr -f {conf} standby register -F -h n1 -U repmgr -d {database}" },
  { node: "n3", line: "repmgr -f {conf} standby register -F", settings: ["node_name='n2'"] },
  {
    node: "n3",
    line: "repmgr -f {conf} standby register -F",
    records: "UPDATE repmgr.nodes SET active = false WHERE node_id = 3",
  },
  {
    node: "n3",
    line: "repmgr -f {conf} standby register -F --upstream-node-id=1",
    records: "UPDATE repmgr.nodes SET active = false WHERE node_id = 3",
  },
  { node: "n1", line: "repmgr -f {conf} standby register" },
  { node: "n3", line: "repmgr -f {conf} standby register", records: noNodes },
  { node: "n5", line: "repmgr -f {conf} standby register --wait-start=1" },
  { node: "n5", line: "repmgr -f {conf} standby register -F" },
  { node: "n5", line: "repmgr -f {conf} standby register -F -h n1 -U repmgr -d {database}" },
  {
    node: "n5",
    line: "repmgr -f {conf} standby register -F -h n1 -U repmgr -d {database} --upstream-node-id=2",
  },
  { node: "n5", line: "repmgr -f {conf} standby register -F -h n1 -U nosuch -d {database}" },
];

/** Every option of the registering commands, from rows that are there, missing or different. */
export const registerCases: readonly ChangingCase[] = [...primaryRegister, ...standbyRegister];

const failedOver = `UPDATE repmgr.nodes SET type = 'primary', upstream_node_id = NULL WHERE node_id = 2;
  UPDATE repmgr.nodes SET active = false WHERE node_id = 1;
  UPDATE repmgr.nodes SET upstream_node_id = 2 WHERE node_id IN (3, 4)`;

/** n1 is down and n2 has been promoted without its rows. */
export const afterFailureCases: readonly ChangingCase[] = [
  { node: "n2", line: "repmgr -f {conf} primary register" },
  { node: "n2", line: "repmgr -f {conf} primary register -F" },
  { node: "n2", line: "repmgr -f {conf} primary register -F --dry-run" },
  { node: "n2", line: "repmgr -f {conf} primary register", records: without(2) },
  { node: "n2", line: "repmgr -f {conf} primary unregister --node-id=1" },
  { node: "n2", line: "repmgr -f {conf} primary unregister --node-id=1", records: failedOver },
  { node: "n2", line: "repmgr -f {conf} primary unregister --node-id=1 --dry-run", records: failedOver },
  {
    node: "n2",
    line: "repmgr -f {conf} primary unregister --node-id=1 -F",
    records: `${failedOver}; UPDATE repmgr.nodes SET active = true, type = 'standby' WHERE node_id = 1`,
  },
  { node: "n2", line: "repmgr -f {conf} primary unregister", records: failedOver },
  { node: "n2", line: "repmgr -f {conf} standby unregister --node-id=1", records: failedOver },
  { node: "n1", line: "repmgr -f {conf} primary unregister" },
  { node: "n1", line: "repmgr -f {conf} standby unregister --node-id=3" },
  { node: "n1", line: "repmgr -f {conf} primary register" },
];
