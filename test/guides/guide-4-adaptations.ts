import type { Adaptation } from "./adaptation.js";

const newerPostgres = (major: string): readonly Adaptation[] => [
  {
    guide: "apt-get install postgresql-10 postgresql-10-repmgr",
    here: `pg_createcluster ${major} main && ln -s /usr/local/bin/repmgr /usr/local/bin/repmgrd /usr/bin`,
    reason: "the image has PostgreSQL and our program; the rest of what installing the packages does is this",
  },
  {
    guide: "/postgresql/10/",
    here: `/postgresql/${major}/`,
    reason: "the image has the PostgreSQL of its Debian release",
  },
  {
    guide: "pg_ctlcluster 10 main",
    here: `pg_ctlcluster ${major} main`,
    reason: "the image has the PostgreSQL of its Debian release",
  },
  {
    guide: "wal_keep_segments     = 500",
    here: "wal_keep_size         = '8000MB'",
    reason: "PostgreSQL 13 has renamed the parameter and changed its unit",
  },
  {
    guide: "systemctl start postgresql",
    here: `pg_ctlcluster ${major} main start`,
    reason: "no systemd runs in a container",
  },
  {
    guide: "systemctl stop postgresql",
    here: `pg_ctlcluster ${major} main stop`,
    reason: "no systemd runs in a container",
  },
];

const newerRepmgr: readonly Adaptation[] = [
  {
    guide: "shared_preload_libraries = 'repmgr'",
    here: "shared_preload_libraries = ''",
    reason: "there is no extension to load",
  },
  {
    guide: '"node',
    here: "node",
    reason:
      "since repmgr 5 the file has PostgreSQL's grammar: double quotes are an error, not part of the name",
  },
  {
    guide: '.priv"',
    here: ".priv",
    reason: "the double quotes are no part of the name any more",
  },
  {
    guide: 'attempting to install extension "repmgr"',
    here: 'attempting to create schema "repmgr"',
    reason: "there is no extension: the schema is made with plain SQL",
  },
  {
    guide: '"repmgr" extension successfully installed',
    here: 'schema "repmgr" successfully created',
    reason: "there is no extension: the schema is made with plain SQL",
  },
  { guide: "(id: ", here: "(ID: ", reason: "repmgr 5 writes it so" },
  { guide: "(node id: ", here: "(ID: ", reason: "repmgr 5 writes it so" },
  { guide: "(node ID: ", here: "(ID: ", reason: "repmgr 5 writes it so" },
  {
    guide: "checking state of node 3,",
    here: 'checking state of node "node2.raveland.priv" (ID: 3),',
    reason: "repmgr 5 names the node",
  },
  {
    guide: "unable to reconnect to node 3 after",
    here: 'unable to reconnect to node "node2.raveland.priv" (ID: 3) after',
    reason: "repmgr 5 names the node",
  },
  {
    guide: "node 2 now following new upstream node 1",
    here: 'node "node1.raveland.priv" (ID: 2) now following new upstream node "node0.raveland.priv" (ID: 1)',
    reason: "repmgr 5 names the nodes",
  },
  {
    guide: 'able to execute "repmgr" on remote host "localhost"',
    here: 'able to execute "tsrepmgr" on remote host "node1.raveland',
    reason: "repmgr 4 named the wrong host; of the two names of our program the own one is tried first",
  },
  {
    guide: "on this standby is 0 seconds",
    here: "on this standby is ",
    reason: "it is counted from the last commit, which here was not long ago",
  },
];

const otherLines: readonly Adaptation[] = [
  { guide: "DETAIL: waiting up to", here: "NOTICE: waiting up to", reason: "repmgr 5 writes it so" },
  { guide: "[DETAIL] waiting up to", here: "[NOTICE] waiting up to", reason: "repmgr 5 writes it so" },
  {
    guide: "NOTICE: setting node 2s primary to node 3",
    here: "",
    reason: "a line of the command on the other node, whose output is shown when it fails",
  },
  {
    guide: 'NOTICE: starting server using "sudo /usr/bin/pg_ctlcluster 10 main start"',
    here: "",
    reason: "a line of the command on the other node, whose output is shown when it fails",
  },
  {
    guide: "[NOTICE] redirecting",
    here: "[DETAIL] NOTICE: redirecting",
    reason: "what a command writes to its terminal is told as it is, when it has ended",
  },
  {
    guide: "setting node 2s primary to node 1",
    here: "setting node 2's upstream to node 1",
    reason: "repmgr 5 writes it so",
  },
  {
    guide: '[NOTICE] restarting server using "sudo /usr/bin/pg_ctlcluster 10 main restart"',
    here: "",
    reason: "since PostgreSQL 13 a standby follows without a restart, under repmgr 5, too",
  },
  {
    guide: "[HINT] if reusing this node, you should manually remove any inactive replication slots",
    here: "[HINT] when that node is back: SELECT pg_drop_replication_slot(",
    reason: "the hint says how",
  },
  {
    guide: "INFO:  set_repmgrd_pid(): provided pidfile is /tmp/repmgrd.pid",
    here: "",
    reason: "a notice of the extension, which is not there",
  },
  {
    guide: "INFO:  node 2 received notification to follow node 1",
    here: "[INFO] 1 followers to notify",
    reason: "a notice of the extension, which is not there: each node looks for the new primary by itself",
  },
];

const machines: readonly Adaptation[] = [
  {
    guide: "apt-get install pgbouncer postgresql-client-10",
    here: "apt-get update && apt-get install -y pgbouncer rsync",
    reason: "the image has psql; unlike the guide's machine it has no rsync",
  },
  {
    guide: "",
    here: "apt-get update && apt-get install -y rsync",
    reason: "unlike the guide's machines the image has no rsync, which the script calls",
  },
  {
    guide: "ssh-keygen",
    here: "ssh-keygen -q -t rsa -N '' -f /tmp/repmgr/id_rsa",
    reason: "nobody is there to answer its questions",
  },
  {
    guide: "scp id_rsa* root@${i}:/var/lib/postgresql/.ssh/",
    here: "tar",
    reason: "root does not log in on the containers: the test carries the files over",
  },
  {
    guide: "systemctl restart pgbouncer",
    here: "/etc/init.d/pgbouncer restart",
    reason: "no systemd runs in a container",
  },
  ...["restart", "stop", "start"].map((action) => ({
    guide: `systemctl ${action} repmgrd`,
    here: `service repmgrd ${action}`,
    reason: "no systemd runs in a container",
  })),
  {
    guide: "",
    here: "chmod 755 /etc/init.d/repmgrd",
    reason: "the guide's package brings the init script; here it is the one in packaging/",
  },
  {
    guide: "\\password pea",
    here: `psql -c "ALTER ROLE pea PASSWORD 'MySuperPassword'"`,
    reason: "nobody is there to type the password at its questions",
  },
  {
    guide: "pea= host=node1.raveland.priv",
    here: "pea= host=node0.raveland.priv",
    reason: "the primary is node0 at this point of the guide",
  },
];

const unknownUpstream: Adaptation = {
  guide: "",
  here: "?",
  reason: "repmgr 5 marks the upstream of a node, too, where it cannot be reached or known",
};

const otherUpstream: Adaptation = {
  guide: "",
  here: "!",
  reason:
    "where a node does not stream from its recorded upstream, repmgr 5 marks and shows the one that it has",
};

const rejoining: readonly Adaptation[] = [
  {
    guide: "",
    here: "wal_log_hints         = on",
    reason: "pg_rewind, which the last chapter needs, wants it or data checksums",
  },
  {
    guide: "node rejoin",
    here: "node rejoin --force-rewind",
    reason:
      "the old primary has been started again after the promotion and has written WAL of its own; repmgr 4 attached it all the same",
  },
];

const shortcuts: readonly Adaptation[] = [
  ...["vote_timeout=30s", "vote_hold=35s"].map((here) => ({
    guide: "",
    here,
    reason: "the machine of the tests may be so busy that a promotion takes longer than the default allows",
  })),
  {
    guide: "",
    here: "psql -c CHECKPOINT",
    reason:
      "saves time only: without --fast-checkpoint a clone waits minutes until all that is dirty is written",
  },
];

/** Everything that differs from the guide, for the image's version of PostgreSQL and the subnet that was free. */
export function adaptationsOfGuide4(postgresMajor: string, prefix: string): readonly Adaptation[] {
  return [
    ...otherLines,
    ...newerPostgres(postgresMajor),
    ...newerRepmgr,
    ...machines,
    unknownUpstream,
    otherUpstream,
    ...rejoining,
    ...shortcuts,
    ...(prefix === "192.168.1"
      ? []
      : [
          {
            guide: "192.168.1.0/24",
            here: `${prefix}.0/24`,
            reason: "the guide's subnet is not free on this machine",
          },
        ]),
  ];
}
