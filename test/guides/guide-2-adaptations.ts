import type { Adaptation } from "./adaptation.js";

const container = (major: string): readonly Adaptation[] => [
  {
    guide: "sudo apt -y install postgresql",
    here: `pg_createcluster ${major} main --start`,
    reason: "the image has PostgreSQL and our program; the rest of what installing the package does is this",
  },
  {
    guide: "/postgresql/16/",
    here: `/postgresql/${major}/`,
    reason: "the image has the PostgreSQL of its Debian release",
  },
  {
    guide: "sudo systemctl restart postgresql",
    here: "/etc/init.d/postgresql restart",
    reason: "no systemd runs in a container",
  },
  {
    guide: "",
    here: "/etc/init.d/postgresql stop",
    reason:
      "systemd knows the processes of the old server; the script looks for them in the new data directory",
  },
  {
    guide: "",
    here: "psql -c CHECKPOINT",
    reason:
      "saves time only: without --fast-checkpoint a clone waits minutes until all that is dirty is written",
  },
];

const withoutDialogue: readonly Adaptation[] = [
  {
    guide: "ssh-keygen -t rsa -b 4096",
    here: "ssh-keygen -q -t rsa -b 4096 -N '' -f ~/.ssh/id_rsa",
    reason: "nobody is there to press ENTER at its questions",
  },
  {
    guide: "ssh-copy-id postgres@",
    here: "ssh -n -o StrictHostKeyChecking=accept-new postgres@",
    reason: "nobody is there to type the password and yes; the test has brought the key over",
  },
];

const schemaInsteadOfExtension: readonly Adaptation[] = [
  {
    guide: "shared_preload_libraries = 'repmgr'",
    here: "shared_preload_libraries = ''",
    reason: "there is no extension to load",
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
];

const failover: readonly Adaptation[] = [
  {
    guide: "sudo systemctl stop postgresql",
    here: "/etc/init.d/postgresql stop",
    reason: "no systemd runs in a container",
  },
  {
    guide: "[INFO] original connection is still available",
    here: "",
    reason: "it is about a connection inside the other daemon; there is no such thing to tell here",
  },
  {
    guide: 'returned "PQPING_NO_RESPONSE"',
    here: 'returned "PQPING_',
    reason: "a server that is being shut down is noticed at once, and rejects while the guide's is silent",
  },
  {
    guide: "host=92.0.0.82",
    here: "host=192.0.0.82",
    reason: "typing error: the standby has the address of the rest of the guide",
  },
];

/** Everything that differs from the guide, for the image's version of PostgreSQL and the subnet that was free. */
export function adaptationsOfGuide2(postgresMajor: string, prefix: string): readonly Adaptation[] {
  const addresses = [
    { guide: "PRIMARY_IP", here: `${prefix}.81` },
    { guide: "STANDBY_IP", here: `${prefix}.82` },
    { guide: "192.0.0.", here: `${prefix}.` },
  ];
  return [
    ...container(postgresMajor),
    ...withoutDialogue,
    ...schemaInsteadOfExtension,
    ...failover,
    ...addresses.map((address) => ({ ...address, reason: "an address for the reader to fill in" })),
  ];
}
