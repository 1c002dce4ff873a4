import type { ChangingCase } from "./changing-cases.js";
import { moving, staying } from "./role-case.js";

const rejoin = "repmgr -f {conf} node rejoin -d 'host=n2 user=repmgr dbname={database}'";
const started = {
  settings: ["service_start_command='pg_ctl -D /cluster/data -w -l /tmp/log start >/dev/null'"],
};

/** n1 was stopped before n2 was promoted; n3 is down, too, so nothing streams from n1. */
export const rejoinCases: readonly ChangingCase[] = [
  staying("n1", `${rejoin} --dry-run`),
  staying("n1", `${rejoin} --dry-run --force-rewind`),
  staying("n1", "repmgr -f {conf} node rejoin"),
  staying("n1", "repmgr -f {conf} node rejoin -h n5 -U repmgr -d {database}"),
  staying("n1", "repmgr -f {conf} node rejoin -h w4 -U repmgr -d {database}"),
  staying("n1", `${rejoin} --config-files=postgresql.conf --dry-run`),
  staying("n2", rejoin),
  staying("n5", rejoin),
  staying("n1", rejoin, { settings: ["service_start_command='false'"], moves: true }),
  staying("n1", rejoin, {
    records:
      "UPDATE repmgr.nodes SET upstream_node_id = NULL WHERE node_id > 2; DELETE FROM repmgr.nodes WHERE node_id = 1",
  }),
  moving("n1", rejoin, started),
  moving("n1", `${rejoin} -W`, started),
  moving("n1", `${rejoin} --force-rewind --config-files=postgresql.conf,pg_hba.conf`, started),
  moving("n1", "repmgr -f {conf} node rejoin -h n2 -U repmgr -d {database}", {
    settings: [...started.settings, "use_replication_slots=no"],
  }),
];

/** n1 has written after n2 was promoted and was stopped then. */
export const divergedRejoinCases: readonly ChangingCase[] = [
  staying("n1", rejoin),
  staying("n1", `${rejoin} --dry-run`),
  staying("n1", `${rejoin} --dry-run --force-rewind --config-files=postgresql.conf,nosuch.conf`),
  staying("n1", `${rejoin} --force-rewind=/nonexistent/pg_rewind`),
  moving("n1", `${rejoin} --force-rewind`, started),
  moving(
    "n1",
    `${rejoin} --force-rewind --config-files=postgresql.conf,nosuch.conf --config-archive-dir=/tmp/archive`,
    { ...started, prepare: "mkdir -p /tmp/archive" },
  ),
];

/** The same, but n1 has crashed. */
export const crashedRejoinCases: readonly ChangingCase[] = [
  staying("n1", rejoin),
  staying("n1", `${rejoin} --dry-run`),
  moving("n1", `${rejoin} --force-rewind`, started),
];
