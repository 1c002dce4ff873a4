import type { ChangingCase } from "./changing-cases.js";
import { moving, staying } from "./role-case.js";

const promote = "repmgr -f {conf} standby promote";
const configured = "service_promote_command='pg_ctl -D /cluster/data -w promote'";

/** The primary of n2 and n3 is down. */
export const promoteCases: readonly ChangingCase[] = [
  staying("n2", `${promote} --dry-run`),
  staying("n2", `${promote} --dry-run`, { settings: [configured] }),
  staying("n1", promote),
  staying("n2", promote, { settings: ["service_promote_command='false'"] }),
  staying("n2", promote, { settings: ["service_promote_command='true'", "promote_check_timeout=1"] }),
  staying("n3", "repmgr -f {conf} standby follow"),
  staying("n3", "repmgr -f {conf} standby follow --dry-run"),
  staying("n3", "repmgr -f {conf} standby follow --wait", { settings: ["primary_follow_timeout=2"] }),
  staying("n3", "repmgr -f {conf} standby follow --upstream-node-id=1"),
  staying("n1", "repmgr -f {conf} node rejoin -d 'host=n2 user=repmgr dbname={database}'"),
  staying("n1", "repmgr -f {conf} node rejoin -d 'host=n1 user=repmgr dbname={database}'"),
  moving("n2", promote),
  moving("n2", `${promote} -F`, { settings: [configured] }),
  moving("n2", promote, { prepare: "psql -Xqc 'SELECT pg_wal_replay_pause()' >/dev/null" }),
  moving("n2", "repmgr -f {conf} node service --action=promote"),
];
