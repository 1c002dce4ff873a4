import type { Adaptation } from "./adaptation.js";

const newerPostgres = (major: string): readonly Adaptation[] => [
  {
    guide: "apt-get install postgresql-10 postgresql-10-repmgr",
    here: `pg_createcluster ${major} main`,
    reason: "the image has PostgreSQL and our program; the rest of what installing the package does is this",
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
    ...newerPostgres(postgresMajor),
    ...newerRepmgr,
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
