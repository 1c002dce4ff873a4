import { onNodes } from "./case.js";

const clone = "repmgr -f {conf} -h n1 -U repmgr -d {database} standby clone --dry-run";

/** Commands that would change something, when they only look; that they change nothing is their changing case. */
export const dryRunCases = [
  ...onNodes(["n1"], ["repmgr -f {conf} primary register --dry-run"]),
  ...onNodes(["n2"], ["repmgr -f {conf} standby register -F --dry-run", `${clone} -F`]),
  ...onNodes(
    ["n5"],
    [
      clone,
      `${clone} -c`,
      `${clone} --upstream-node-id=2`,
      `${clone} --upstream-node-id=77`,
      `${clone} --verify-backup`,
      `${clone} --replication-user=nosuch`,
      "repmgr -f {conf} -h n5 -U repmgr -d {database} standby clone --dry-run",
      "repmgr -f {conf} -h n1 -U nosuch -d {database} standby clone --dry-run",
      "repmgr -f {conf} -h n1 -U repmgr -d nosuch standby clone --dry-run",
      "repmgr -f {conf} -h n1 -U repmgr -d postgres standby clone --dry-run",
      "repmgr -f {conf} -h w4 -U repmgr -d {database} standby clone --dry-run",
      "repmgr -f {conf} -h n2 -U repmgr -d {database} standby clone --dry-run",
    ],
  ),
];
