import type { ChangingCase } from "./changing-cases.js";

const noSchema = "DROP EXTENSION IF EXISTS repmgr CASCADE; DROP SCHEMA IF EXISTS repmgr CASCADE";
const unregistered: Pick<ChangingCase, "records" | "recordsOnWitness"> = {
  records: "DELETE FROM repmgr.nodes WHERE node_id = 4",
  recordsOnWitness: "TRUNCATE repmgr.nodes, repmgr.events",
};
const register = "repmgr -f {conf} -h n1 -U repmgr -d {database} witness register";

const witnessRegister: readonly ChangingCase[] = [
  { node: "w4", line: register, ...unregistered },
  { node: "w4", line: register, ...unregistered, recordsOnWitness: noSchema },
  { node: "w4", line: `${register} --dry-run`, ...unregistered, recordsOnWitness: noSchema },
  { node: "w4", line: `${register} --dry-run`, ...unregistered },
  { node: "w4", line: `${register} -F`, ...unregistered },
  { node: "w4", line: `${register} -S postgres`, ...unregistered },
  { node: "w4", line: "repmgr -f {conf} -h n1 witness register", ...unregistered },
  {
    node: "w4",
    line: "repmgr -f {conf} -d 'host=n1 user=repmgr dbname={database}' witness register",
    ...unregistered,
  },
  { node: "w4", line: register, ...unregistered, settings: ["priority=7", "location='there'"] },
  { node: "w4", line: register, records: "DELETE FROM repmgr.nodes WHERE node_id = 4" },
  { node: "w4", line: `${register} -F`, records: "DELETE FROM repmgr.nodes WHERE node_id = 4" },
  { node: "w4", line: register },
  { node: "w4", line: `${register} -F` },
  { node: "w4", line: `${register} -F --dry-run` },
  { node: "w4", line: "repmgr -f {conf} witness register", ...unregistered },
  { node: "w4", line: "repmgr -f {conf} -h n2 -U repmgr -d {database} witness register", ...unregistered },
  { node: "w4", line: "repmgr -f {conf} -h n5 -U repmgr -d {database} witness register", ...unregistered },
  { node: "w4", line: register, ...unregistered, settings: ["node_name='n2'"] },
  { node: "w4", line: `${register} -F`, settings: ["node_id=3"], recordsOnWitness: "TRUNCATE repmgr.nodes" },
  { node: "n1", line: register },
  { node: "n3", line: register },
  { node: "n5", line: register },
];

const witnessUnregister: readonly ChangingCase[] = [
  { node: "w4", line: "repmgr -f {conf} witness unregister" },
  { node: "w4", line: "repmgr -f {conf} witness unregister -F" },
  { node: "w4", line: "repmgr -f {conf} witness unregister --dry-run" },
  { node: "n1", line: "repmgr -f {conf} witness unregister --node-id=4" },
  { node: "n2", line: "repmgr -f {conf} witness unregister --node-id=4" },
  { node: "n1", line: "repmgr -f {conf} witness unregister --node-id=2" },
  { node: "n1", line: "repmgr -f {conf} witness unregister --node-id=77" },
  { node: "n1", line: "repmgr -f {conf} witness unregister" },
  { node: "w4", line: "repmgr -f {conf} witness unregister", ...unregistered },
  { node: "n5", line: "repmgr -f {conf} witness unregister --node-id=4" },
  { node: "n5", line: "repmgr -f {conf} -h n1 -U repmgr -d {database} witness unregister --node-id=4 -F" },
  { node: "n5", line: "repmgr -f {conf} -h n1 -U repmgr -d {database} witness unregister --node-id=4" },
  { node: "n5", line: "repmgr -f {conf} witness unregister --node-id=4 -F" },
];

/** Every option of `witness register` and `witness unregister`. */
export const witnessCases: readonly ChangingCase[] = [...witnessRegister, ...witnessUnregister];
