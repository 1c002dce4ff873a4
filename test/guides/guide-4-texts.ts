export const names = ["node0", "node1", "node2"] as const;
export type Name = (typeof names)[number];
export const idOf = (name: Name): number => names.indexOf(name) + 1;
export const hostOf = (name: Name): string => `${name}.raveland.priv`;
export const quoted = (name: Name): string => `"${hostOf(name)}"`;

export const accessLines = [
  "local   replication   repmgr                              trust",
  "host    replication   repmgr      127.0.0.1/32            trust",
  "host    replication   repmgr      192.168.1.0/24          trust",
  "local   repmgr        repmgr                              trust",
  "host    repmgr        repmgr      127.0.0.1/32            trust",
  "host    repmgr        repmgr      192.168.1.0/24          trust",
  "host all all 192.168.1.0/24 md5",
];

export const pgbouncerConf = [
  ...["[pgbouncer]", "logfile = /var/log/postgresql/pgbouncer.log"],
  ...["pidfile = /var/run/postgresql/pgbouncer.pid", "listen_addr = *", "listen_port = 5432"],
  ...["unix_socket_dir = /var/run/postgresql", "auth_type = trust"],
  ...["auth_file = /etc/pgbouncer/userlist.txt", "admin_users = postgres", "stats_users = postgres"],
  ...["pool_mode = transaction", "server_reset_query = DISCARD ALL", ""],
  "%include /etc/pgbouncer/pgbouncer.database.ini",
];

/** /usr/local/bin/promote.sh, byte for byte but for the version of PostgreSQL. */
export const promoteScript = `#!/usr/bin/env bash
set -e
set -u

PGBOUNCER_DATABASE_INI_NEW="/tmp/pgbouncer.database.ini"
PGBOUNCER_HOSTS="pgbouncer.raveland.priv"
DATABASES="pea"

# Pause pgbouncer
for h in \${PGBOUNCER_HOSTS}
do
  for d in \${DATABASES}
  do
      psql -U postgres -h \${h} -p 5432 pgbouncer -tc "pause \${d}"
  done
done

# Promote server
sudo /usr/bin/pg_ctlcluster 10 main promote

# Generate new config file for pgbouncer
echo -e "[databases]\\n" > \${PGBOUNCER_DATABASE_INI_NEW}
for d in \${DATABASES}
do
  echo -e "\${d}= host=$(hostname -f)\\n" >> \${PGBOUNCER_DATABASE_INI_NEW}
done

# Copy new config file, reload and resume pgbouncer
for h in \${PGBOUNCER_HOSTS}
do
  for d in \${DATABASES}
  do
      rsync -a \${PGBOUNCER_DATABASE_INI_NEW} \${h}:/etc/pgbouncer/pgbouncer.database.ini
      psql -U postgres -h \${h} -p 5432 pgbouncer -tc "reload"
      psql -U postgres -h \${h} -p 5432 pgbouncer -tc "resume \${d}"
  done
done

rm \${PGBOUNCER_DATABASE_INI_NEW}`;

export const daemonSettings = [
  "REPMGRD_ENABLED=yes",
  'REPMGRD_CONF="/etc/repmgr.conf"',
  'REPMGRD_OPTS="--daemonize=false"',
  "REPMGRD_USER=postgres",
  "REPMGRD_BIN=/usr/bin/repmgrd",
  "REPMGRD_PIDFILE=/var/run/repmgrd.pid",
];

export const shownRehearsal = [
  'NOTICE: checking switchover on node ""node2.raveland.priv"" (ID: 3) in --dry-run mode',
  'INFO: able to execute "repmgr" on remote host "localhost"',
  "INFO: all sibling nodes are reachable via SSH",
  "INFO: 2 walsenders required, 15 available",
  "INFO: demotion candidate is able to make replication connection to promotion candidate",
  "INFO: 0 pending archive files",
  "INFO: replication lag on this standby is 0 seconds",
  "INFO: 2 replication slots required, 15 available",
  'NOTICE: local node ""node2.raveland.priv"" (ID: 3) would be promoted to primary; current primary ""node1.raveland.priv"" (ID: 2) would be demoted to standby',
  'INFO: following shutdown command would be run on node ""node1.raveland.priv"":',
  '  "sudo /usr/bin/pg_ctlcluster 10 main stop"',
];
export const shownSwitchover = [
  'NOTICE: executing switchover on node ""node2.raveland.priv"" (ID: 3)',
  'NOTICE: local node ""node2.raveland.priv"" (ID: 3) will be promoted to primary; current primary ""node1.raveland.priv"" (ID: 2) will be demoted to standby',
  'NOTICE: stopping current primary node ""node1.raveland.priv"" (ID: 2)',
  "NOTICE: issuing CHECKPOINT",
  'DETAIL: executing server command "sudo /usr/bin/pg_ctlcluster 10 main stop"',
  'INFO: checking for primary shutdown; 1 of 60 attempts ("shutdown_check_timeout")',
  "NOTICE: current primary has been cleanly shut down at location ",
  "NOTICE: promoting standby to primary",
  'DETAIL: promoting server ""node2.raveland.priv"" (ID: 3) using "sudo /usr/bin/pg_ctlcluster 10 main promote"',
  'DETAIL: waiting up to 15 seconds (parameter "promote_check_timeout") for promotion to complete',
  "NOTICE: STANDBY PROMOTE successful",
  'DETAIL: server ""node2.raveland.priv"" (ID: 3) was successfully promoted to primary',
  "NOTICE: setting node 2s primary to node 3",
  'NOTICE: starting server using "sudo /usr/bin/pg_ctlcluster 10 main start"',
  "NOTICE: NODE REJOIN successful",
  "DETAIL: node 2 is now attached to node 3",
  "NOTICE: switchover was successful",
  'DETAIL: node ""node2.raveland.priv"" is now primary and node ""node1.raveland.priv"" is attached as standby',
  "NOTICE: STANDBY SWITCHOVER has completed successfully",
];
/** What is done at the same time as the rejoin. */
export const shownFollow = [
  "NOTICE: STANDBY PROMOTE successful",
  "NOTICE: executing STANDBY FOLLOW on 1 of 1 siblings",
  "INFO: STANDBY FOLLOW successfully executed on all reachable sibling nodes",
  "NOTICE: switchover was successful",
];
/** What a daemon logs as soon as it has lost this primary. */
export const shownLossOf = {
  node0: '[INFO] checking state of node ""node0.raveland.priv"" (ID: 1), 1 of 6 attempts',
  node2: "[INFO] checking state of node 3, 1 of 6 attempts",
};
/** The guide's logs of a failover, each line without its time. */
export const shownLogOfWinner = [
  '[WARNING] unable to connect to upstream node ""node2.raveland.priv"" (node ID: 3)',
  shownLossOf.node2,
  "[NOTICE] this node is the winner, will now promote itself and inform other nodes",
  "[INFO] promote_command is:",
  '  "/usr/bin/repmgr standby promote -f /etc/repmgr.conf --log-to-file"',
  "INFO:  node 2 received notification to follow node 1",
  "[INFO] switching to primary monitoring mode",
];
export const shownOfCommand = '[NOTICE] redirecting logging output to "/var/log/postgresql/repmgrd.log"';
export const shownLogOfPromotion = [
  "[NOTICE] promoting standby to primary",
  '[DETAIL] promoting server ""node0.raveland.priv"" (ID: 1) using "sudo /usr/bin/pg_ctlcluster 10 main promote"',
  '[DETAIL] waiting up to 15 seconds (parameter "promote_check_timeout") for promotion to complete',
  "[NOTICE] STANDBY PROMOTE successful",
  '[DETAIL] server ""node0.raveland.priv"" (ID: 1) was successfully promoted to primary',
];
export const shownLogOfFollower = [
  "[WARNING] unable to reconnect to node 3 after 6 attempts",
  "[INFO] follower node awaiting notification from a candidate node",
  "INFO:  set_repmgrd_pid(): provided pidfile is /tmp/repmgrd.pid",
  "[NOTICE] node 2 now following new upstream node 1",
  "[INFO] resuming standby monitoring mode",
  '[DETAIL] following new primary ""node0.raveland.priv"" (node id: 1)',
];
export const shownLogOfFollow = [
  "[NOTICE] setting node 2s primary to node 1",
  '[NOTICE] restarting server using "sudo /usr/bin/pg_ctlcluster 10 main restart"',
  "[WARNING] unable to connect to old upstream node 3 to remove replication slot",
  "[HINT] if reusing this node, you should manually remove any inactive replication slots",
  "[NOTICE] STANDBY FOLLOW successful",
  '[DETAIL] standby attached to upstream node ""node0.raveland.priv"" (node ID: 1)',
];

export const programConfOf = (name: Name): readonly string[] => [
  `node_id=${String(idOf(name))}`,
  `node_name="${hostOf(name)}"`,
  `conninfo='host=${hostOf(name)} user=repmgr dbname=repmgr connect_timeout=2'`,
  "data_directory='/var/lib/postgresql/10/main'",
  "use_replication_slots=yes",
  "monitoring_history=yes",
  ...["start", "stop", "restart", "reload", "promote"].map(
    (action) => `service_${action}_command = 'sudo /usr/bin/pg_ctlcluster 10 main ${action}'`,
  ),
  "promote_check_timeout = 15",
  "failover=automatic",
  "promote_command='/usr/bin/repmgr standby promote -f /etc/repmgr.conf --log-to-file'",
  "follow_command='/usr/bin/repmgr standby follow -f /etc/repmgr.conf --log-to-file --upstream-node-id=%n'",
  "log_file='/var/log/postgresql/repmgrd.log'",
];

/** ID, name, role, status and upstream of a row that `cluster show` prints; the rest is the same everywhere. */
export const row = (
  name: Name,
  role: string,
  status: string,
  upstream: Name | "" = "",
  mark = "",
): string => {
  const shownUpstream = [mark, upstream === "" ? "" : `"${hostOf(upstream)}"`].join(" ").trim();
  return [String(idOf(name)), `"${hostOf(name)}"`, role, status, shownUpstream].join(" | ");
};

export const afterRejoin = [
  row("node0", "standby", "running", "node1"),
  row("node1", "primary", "* running"),
  row("node2", "standby", "running", "node1"),
];
