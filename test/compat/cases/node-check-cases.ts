import { onNodes, type CommandCase } from "./case.js";

const checks = [
  "archive-ready",
  "upstream",
  "downstream",
  "replication-lag",
  "role",
  "slots",
  "missing-slots",
  "data-directory-config",
  "repmgrd",
  "replication-config-owner",
  "db-connection",
];

/** Every check, alone and as a whole, in the forms that a monitoring system reads. */
const nodeChecks: readonly string[] = ["", " --csv", " --nagios", " --optformat"].flatMap((form) =>
  ["", ...checks.map((check) => ` --${check}`)].map((check) => `repmgr -f {conf} node check${check}${form}`),
);

/** The forms that differ where a server is missing. */
export const nodeChecksOfFailure: readonly string[] = [
  "repmgr -f {conf} node check",
  "repmgr -f {conf} node check --csv",
  "repmgr -f {conf} node check --nagios --role",
  ...["upstream", "downstream", "slots", "missing-slots", "replication-lag"].map(
    (check) => `repmgr -f {conf} node check --nagios --${check}`,
  ),
  "repmgr -f {conf} node check --role --optformat",
  "repmgr -f {conf} node check --db-connection",
  "repmgr -f {conf} node check --db-connection --optformat",
];

const thresholds = (settings: string, check: string): string =>
  `sed '$a ${settings}' {conf} > /tmp/check.conf && repmgr -f /tmp/check.conf node check ${check}`;
const readyFile = "touch /cluster/data/pg_wal/archive_status/{1,2,3}.ready";
const removeReadyFiles = "e=$?; rm /cluster/data/pg_wal/archive_status/{1,2,3}.ready; exit $e";
const withReadyFiles = (line: string): string => `${readyFile}; ${line}; ${removeReadyFiles}`;

/** Checks with other thresholds, other users and combinations, and the other commands that only look. */
export const nodeCases: readonly CommandCase[] = [
  ...onNodes(["n1", "n2"], nodeChecks),
  ...onNodes(["w4"], nodeChecksOfFailure),
  ...onNodes(["n5"], ["repmgr -f {conf} node check", ...nodeChecksOfFailure.slice(-3)]),
  ...onNodes(
    ["n2"],
    [
      "repmgr -f {conf} node check --role --slots",
      "repmgr -f {conf} node check --role -S postgres",
      "repmgr -f {conf} node check -S nosuch",
      "repmgr -f {conf} node check --role -t",
      "repmgr -f {conf} node check --has-passfile",
      "repmgr -f {conf} node check --replication-connection",
      "repmgr -f {conf} node check --replication-connection --remote-node-id=1",
      "repmgr -f {conf} node check --replication-connection --remote-node-id=77",
      ...["", " --nagios", " --optformat"].flatMap((form) => [
        withReadyFiles(
          thresholds("archive_ready_warning=2\\narchive_ready_critical=50", `--archive-ready${form}`),
        ),
        withReadyFiles(
          thresholds("archive_ready_warning=1\\narchive_ready_critical=2", `--archive-ready${form}`),
        ),
        thresholds("data_directory=/cluster/other", `--data-directory-config${form}`),
      ]),
      withReadyFiles(thresholds("archive_ready_warning=1\\narchive_ready_critical=2", "")),
    ],
  ),
  ...onNodes(
    ["n1"],
    [
      "repmgr -f {conf} node service",
      "repmgr -f {conf} node service --list-actions",
      ...["start", "stop", "restart", "reload", "promote", "STOP", "nosuch"].map(
        (action) => `repmgr -f {conf} node service --list-actions --action=${action}`,
      ),
      "repmgr -f {conf} node service --action=nosuch",
      "repmgr -f {conf} node service --action=promote --dry-run",
      "repmgr -f {conf} node control",
      "repmgr -f {conf} node control --disable-wal-receiver",
      "repmgr -f {conf} node control --enable-wal-receiver",
    ],
  ),
];
