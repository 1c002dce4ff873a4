import type { ChangingCase } from "./changing-cases.js";

export const source = "repmgr -f {conf} -h n1 -U repmgr -d {database} standby clone";
export const clone = (line: string, more: Omit<ChangingCase, "node" | "line"> = {}): ChangingCase => ({
  node: "n5",
  line,
  observes: "clone",
  ...more,
});
const cloned = `repmgr -f {conf} -h n1 -U repmgr -d {database} standby clone -c 2>/dev/null`;
const start = "pg_ctl -D /cluster/data -l /tmp/log -w start >/dev/null";

/** Every option of `standby clone` that needs neither SSH nor Barman. */
export const cloneCases: readonly ChangingCase[] = [
  clone(source),
  clone(`${source} -c`),
  clone(`${source} --dry-run`),
  clone(`repmgr -f {conf} -d 'host=n1 user=repmgr dbname={database}' standby clone -c`),
  clone(`repmgr -f {conf} -h n2 -U repmgr -d {database} standby clone -c`),
  clone(`${source} -c --upstream-node-id=2`),
  clone(`${source} -c --upstream-node-id=77`),
  clone(`${source} -c --upstream-conninfo='host=n1 user=other port=5432'`),
  clone(`${source} -c --replication-user=repmgr`),
  clone(`${source} -c -S postgres`),
  clone(`${source} -c --recovery-min-apply-delay=5min`),
  clone(`${source} -c --verify-backup`),
  clone(`${source} -c --without-barman`),
  clone(`${source} -c --no-upstream-connection`),
  clone(`${source} -c`, { prepare: "mkdir -p /cluster/data && chmod 755 /cluster/data" }),
  clone(`${source} -c`, { prepare: "mkdir -p /cluster/data && touch /cluster/data/mine" }),
  clone(`${source} -c -F`, { prepare: "mkdir -p /cluster/data && touch /cluster/data/mine" }),
  clone(`${source} -c`, { prepare: "mkdir -p /cluster/data && echo 15 > /cluster/data/PG_VERSION" }),
  clone(`${source} -c`, { settings: ["use_replication_slots=no"] }),
  clone(`${source} -c`, {
    settings: [
      "restore_command='cp /archive/%f \"%p\"'",
      "archive_cleanup_command='pg_archivecleanup /archive %r'",
      "recovery_min_apply_delay=3min",
      "passfile='/tmp/pass file'",
    ],
  }),
  clone(`${source} -c`, { settings: ["pg_basebackup_options='--no-slot'"] }),
  clone(`${source} -c`, { settings: ["pg_basebackup_options='-X fetch --progress'"] }),
  clone(`${source} -c`, { settings: ["pg_basebackup_options='--nosuch'"] }),
  clone(`PGPASSWORD=secret ${source} -c`, { settings: ["use_primary_conninfo_password=yes"] }),
  clone(`${source} -c`, { settings: ["node_name='n3'"] }),
  clone(`cd /tmp && repmgr -h n1 -U repmgr -d repmgr -D /cluster/data standby clone -c`),
  clone(`${source} -c --replication-conf-only`),
  clone(`${source} --replication-conf-only`, { prepare: cloned }),
  clone(`${source} --replication-conf-only --dry-run`, { prepare: cloned }),
  clone(`${source} -c`, { prepare: `${cloned} && ${start}` }),
  clone(`${source} -c -F`, { prepare: `${cloned} && ${start}` }),
  clone(`${source} -c -F`, { prepare: cloned }),
];
