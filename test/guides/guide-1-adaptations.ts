import type { Adaptation } from "./adaptation.js";

const typingErrors: readonly Adaptation[] = [
  {
    guide: "listen_address =",
    here: "listen_addresses =",
    reason: "typing error: PostgreSQL has no such parameter and would not start",
  },
  {
    guide: "/etc/init.d/postgres start",
    here: "/etc/init.d/postgresql start",
    reason: "typing error: the script has the name that the guide itself uses on the standbys",
  },
  {
    guide: "| 100      | 2        | host=172.7.7.12",
    here: "| 100      | 1        | host=172.7.7.12",
    reason: "output of another run: nothing has been promoted so far, so every node is on timeline 1",
  },
];

const missingSteps: readonly Adaptation[] = [
  {
    guide: "",
    here: "psql -c 'SELECT pg_reload_conf()'",
    reason: "the guide edits pg_hba.conf of a running server, which has to be told",
  },
  {
    guide: "",
    here: "host    repmgr          repmgr          172.7.7.0/24            trust",
    reason:
      "the guide edits pg_hba.conf on the primary only, but all nodes connect to a standby's conninfo, too",
  },
  {
    guide: "",
    here: "host    replication     repmgr          172.7.7.0/24            trust",
    reason:
      "the guide edits pg_hba.conf on the primary only, but after a failover a standby streams from another",
  },
];

const checkpoint: Adaptation = {
  guide: "",
  here: "psql -c CHECKPOINT",
  reason:
    "saves time only: without --fast-checkpoint a clone waits minutes until all that is dirty is written",
};

const failover: readonly Adaptation[] = [
  {
    guide: "",
    here: "wal_keep_size = '64MB'",
    reason:
      "without slots the primary removes WAL while it stops, and the standby that has received less is not promoted",
  },
  {
    guide: "repmgr.conf -d",
    here: "repmgr.conf -d 2>>/tmp/repmgrd.log",
    reason: "the guide sets no log file: the log is shown on the terminal, which is a file here",
  },
  {
    guide: "",
    here: "/etc/init.d/postgresql stop",
    reason: "the guide says that the primary's service is stopped, and shows no command",
  },
];

const schemaInsteadOfExtension: readonly Adaptation[] = [
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
];

/** Everything that differs from the guide, for the image's version of PostgreSQL and the subnet that was free. */
export function adaptationsOfGuide1(postgresMajor: string, prefix: string): readonly Adaptation[] {
  return [
    {
      guide: "docker compose up",
      here: "three containers of docker/Dockerfile on a network with fixed addresses",
      reason: "the guide does not show its compose file",
    },
    {
      guide: "apt update && apt install postgresql-13 postgresql-13-repmgr vim —yes",
      here: `pg_createcluster ${postgresMajor} main`,
      reason:
        "the image has PostgreSQL and our program; the rest of what installing the package does is this",
    },
    {
      guide: "/etc/postgresql/13/",
      here: `/etc/postgresql/${postgresMajor}/`,
      reason: "the image has the PostgreSQL of its Debian release",
    },
    {
      guide: "",
      here: `pg_bindir='/usr/lib/postgresql/${postgresMajor}/bin'`,
      reason: "Debian keeps pg_ctl, which a standby that follows is restarted by, out of PATH",
    },
    ...typingErrors,
    ...missingSteps,
    checkpoint,
    ...failover,
    ...schemaInsteadOfExtension,
    ...(prefix === "172.7.7"
      ? []
      : [
          { guide: "172.7.7.", here: `${prefix}.`, reason: "the guide's subnet is not free on this machine" },
        ]),
  ];
}
