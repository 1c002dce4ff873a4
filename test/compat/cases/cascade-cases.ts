import type { ChangingCase } from "./changing-cases.js";
import { moving, staying } from "./role-case.js";

const follow = "repmgr -f {conf} standby follow";
const promote = "repmgr -f {conf} standby promote";
const stopN2 = `psql -Xqc "COPY (SELECT 1) TO PROGRAM 'pg_ctl -D /cluster/data -m fast -W stop'" -h n2 >/dev/null; until ! pg_isready -qh n2; do sleep 0.05; done`;

// Without -l the server would write to the pipe of a program that has ended.
const startCommand = "pg_ctl -D /cluster/data -l /tmp/log -w";
const service = {
  settings: [
    `service_start_command='${startCommand} start >/dev/null'`,
    `service_restart_command='${startCommand} restart >/dev/null'`,
  ],
};

/** Commands that change roles where nothing is wrong. */
export const healthyRoleCases: readonly ChangingCase[] = [
  staying("n2", promote),
  staying("n2", `${promote} --dry-run`),
  staying("n2", `${promote} -F`),
  staying("n1", promote),
  staying("w4", promote),
  staying("n5", promote),
  staying("n2", follow),
  staying("n2", `${follow} --dry-run`),
  staying("n2", `${follow} --upstream-node-id=1`),
  staying("n2", `${follow} --upstream-node-id=2`),
  staying("n2", `${follow} --upstream-node-id=77`),
  staying("n2", `${follow} --upstream-node-id=x`),
  staying("n2", `${follow} --wait=5 --dry-run`),
  staying("n3", `${follow} --upstream-node-id=2 --dry-run`),
  staying("n3", `${follow} --upstream-node-id=4 --dry-run`),
  staying("n3", follow, { records: "DELETE FROM repmgr.nodes WHERE node_id = 3" }),
  staying("n1", follow),
  staying("w4", follow),
  staying("n5", follow),
  staying("n2", "repmgr -f {conf} node rejoin -d 'host=n1 user=repmgr dbname={database}'"),
  staying("n5", "repmgr -f {conf} node rejoin -d 'host=n1 user=repmgr dbname={database}'"),
  staying("n3", "repmgr -f {conf} node service --action=reload"),
  staying("n3", "repmgr -f {conf} node service --action=RESTART --checkpoint", service),
  staying(
    "n3",
    "repmgr -f {conf} node service --action=stop >/dev/null; while [ -e /cluster/data/postmaster.pid ]; do sleep 0.1; done; repmgr -f {conf} node service --action=start",
    service,
  ),
  staying("n3", "repmgr -f {conf} node service --action=stop", {
    settings: ["service_stop_command='false'"],
  }),
  staying("n3", "repmgr -f {conf} node service --action=start --dry-run"),
  staying("n3", "repmgr -f {conf} node service --action=restart --checkpoint --dry-run"),
  staying("n3", "repmgr -f {conf} node service --action=restart -S postgres --checkpoint --dry-run"),
  moving(
    "n3",
    "repmgr -f {conf} node control --disable-wal-receiver && repmgr -f {conf} node control --enable-wal-receiver",
  ),
  moving("n3", `${follow} --upstream-node-id=2`),
];

/** n3 is below n2, n2 below n1. */
export const cascadeCases: readonly ChangingCase[] = [
  staying("n3", `${follow} --dry-run`),
  staying("n3", `${follow} --upstream-node-id=2`),
  moving("n3", follow),
  moving("n3", `${follow} --upstream-node-id=1`),
  moving("n3", follow, { prepare: stopN2 }),
];

/** The same, but n1 is down. */
export const brokenCascadeCases: readonly ChangingCase[] = [
  staying("n3", `${follow} --dry-run`),
  moving("n2", promote),
];
