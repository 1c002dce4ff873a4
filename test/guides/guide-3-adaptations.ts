import type { Adaptation } from "./adaptation.js";

const noPortMapping =
  "the containers are on one network, so the server's own port is seen instead of a mapped one";
const newerWords = "the guide has repmgr 4.0; these are the words of repmgr 5";
const schemaOnly = "there is no extension: the schema is made with plain SQL";
const inContainer = "the line is typed in the container, by root as there";

const containers: readonly Adaptation[] = [
  { guide: "docker exec -it mypostgresql su postgres", here: "su postgres", reason: inContainer },
  { guide: "docker run -it --rm kahidna/postgres:9.6 su postgres", here: "su postgres", reason: inContainer },
  {
    guide: "docker run -it --rm kahidna/postgres:9.6 \\\nsu postgres -c \\\n",
    here: "su postgres -c ",
    reason: inContainer,
  },
  {
    guide: "docker run -it --rm --name postgres_temporary $POSTGRESIMAGENAME su postgres",
    here: "su postgres",
    reason: `${inContainer}; its volumes are left out`,
  },
  {
    guide: "docker exec -it -u postgres $CONTAINERNAME repmgr -f /etc/repmgr/repmgr.conf standby register",
    here: 'su postgres -c "repmgr -f /etc/repmgr/repmgr.conf standby register"',
    reason: inContainer,
  },
  {
    guide: "docker run -it --rm --name postgres_temporary $POSTGRESIMAGENAME psql -U postgres",
    here: "su postgres -c 'psql -d repmgr -c \"TABLE pg_stat_replication\"' #",
    reason: "the guide's image lets root connect as postgres",
  },
  { guide: "port=5433", here: "port=5432", reason: noPortMapping },
  { guide: "-p 5433 ", here: "-p 5432 ", reason: noPortMapping },
];

const words: readonly Adaptation[] = [
  {
    guide: 'INFO: parameter "max_wal_senders" set to 10',
    here: "DETAIL: 2 required, 10 available",
    reason: "repmgr 5 tells the number of walsenders in this line",
  },
  { guide: "(node ID: ", here: "(ID: ", reason: newerWords },
  { guide: "checking state of node 1,", here: 'checking state of node "node1" (ID: 1),', reason: newerWords },
  {
    guide: "unable to reconnect to node 1 after",
    here: 'unable to reconnect to node "node1" (ID: 1) after',
    reason: newerWords,
  },
  { guide: "sleeping 10 seconds", here: "sleeping up to 10 seconds", reason: newerWords },
  {
    guide: `"pg_ctl  -w -D '/var/lib/postgresql/data' promote"`,
    here: "pg_promote()",
    reason: "PostgreSQL 12 and later promote by this function, also under repmgr 5",
  },
  {
    guide: 'attempting to install extension "repmgr"',
    here: 'attempting to create schema "repmgr"',
    reason: schemaOnly,
  },
  {
    guide: '"repmgr" extension successfully installed',
    here: 'schema "repmgr" successfully created',
    reason: schemaOnly,
  },
  {
    guide: "| 100      | 10       |",
    here: "| 100      | 1        |",
    reason: "the guide's cluster has seen nine failovers before, this one is new",
  },
];

/** Everything that differs from the guide, for the image's version of PostgreSQL. */
export function adaptationsOfGuide3(postgresMajor: string): readonly Adaptation[] {
  const bin = `/usr/lib/postgresql/${postgresMajor}/bin`;
  const data = "/var/lib/postgresql/data";
  const log = "/var/log/postgresql/postgresql.log";
  return [
    {
      guide: "docker build -t kahidna/postgres:9.6 .",
      here: "ln -s /usr/local/bin/repmgr /usr/local/bin/repmgrd /usr/bin",
      reason: "the image has our programs in /usr/local/bin; the guide's commands name /usr/bin",
    },
    ...containers,
    {
      guide: "",
      here: `su postgres -c "${bin}/initdb -D ${data} && ${bin}/pg_ctl -D ${data} -l ${log} -w -o '-h 0.0.0.0' start"`,
      reason: "the guide's image does it at its first start",
    },
    {
      guide: "docker run -d --hostname $CONTAINERHOSTNAME",
      here: `su postgres -c "${bin}/pg_ctl -D ${data} -l ${log} -w -o '-h 0.0.0.0' start" #`,
      reason: "the container runs already, its server is started",
    },
    {
      guide: "",
      here: `su postgres -c "${bin}/pg_ctl -D ${data} -m fast -w stop"`,
      reason: "the guide lets the master go down without saying how",
    },
    {
      guide: "",
      here: "su postgres -c 'psql -c \"SELECT pg_reload_conf()\"'",
      reason: "the guide edits pg_hba.conf of a running server, which has to be told",
    },
    {
      guide: "",
      here: "su postgres -c 'psql -c CHECKPOINT'",
      reason: "saves time only: without --fast-checkpoint a clone waits until all that is dirty is written",
    },
    {
      guide: "",
      here: "log_status_interval=5",
      reason: "saves time only: the guide's log has a line of all being well every five minutes",
    },
    {
      guide: "",
      here: "role_port=5400",
      reason: "instead of the extension bgw_replstatus, which answers there in the guide's image",
    },
    {
      guide: "",
      here: `pg_bindir='/usr/lib/postgresql/${postgresMajor}/bin'`,
      reason: "Debian keeps pg_ctl, which a standby that follows is restarted by, out of PATH",
    },
    { guide: "nc ", here: "cat < /dev/tcp/", reason: "the image has no nc" },
    { guide: ".postgresql.domain 5400", here: ".postgresql.domain/5400", reason: "the image has no nc" },
    {
      guide: "",
      here: "chmod 755 /etc/init.d/repmgrd",
      reason: "the guide's package brings the init script; here it is the one in packaging/",
    },
    ...words,
  ];
}
