import type { ChangingCase } from "./changing-cases.js";
import { moving, staying } from "./role-case.js";

const follow = "repmgr -f {conf} standby follow";
const restart = "pg_ctl -D /cluster/data -w -l /tmp/log restart >/dev/null";

/** n2 is the primary now, and n3 is attached to nothing. */
export const followCases: readonly ChangingCase[] = [
  staying("n3", `${follow} --dry-run`),
  staying("n3", `${follow} --dry-run --upstream-node-id=2`),
  staying("n3", `${follow} --upstream-node-id=1`),
  staying("n2", follow),
  staying("n1", follow),
  staying("n1", "repmgr -f {conf} node rejoin -h n3 -U repmgr -d {database}"),
  moving("n3", follow),
  moving("n3", `${follow} --upstream-node-id=2 --wait`),
  moving("n3", follow, { settings: ["use_replication_slots=no", "standby_follow_timeout=7"] }),
  moving("n3", follow, {
    settings: ["standby_follow_restart=true", `service_restart_command='${restart}'`],
  }),
];

/** n3 has replayed what is no part of the history of n2. */
export const divergedFollowCases: readonly ChangingCase[] = [
  staying("n3", follow),
  staying("n3", `${follow} --dry-run`),
];
