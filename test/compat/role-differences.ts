import type { AllowedDifference } from "./allowed-difference.js";
import type { Observation } from "./observe.js";

const accepted: Observation = { "exit code": 0 };
const refused: Observation = { "exit code": 1 };
const rows = ["nodes", "events", "history", "notices", "worst message"];

const nodeCommands: readonly AllowedDifference[] = [
  {
    of: ["exit code", "worst message"],
    cases: ["a healthy cluster: n1$ repmgr -f {conf} node service"],
    theirs: accepted,
    ours: refused,
    reason: "without an action the reference runs an empty command and calls it success",
  },
  {
    of: ["exit code"],
    cases: ["a healthy cluster: n1$ repmgr -f {conf} node control"],
    theirs: accepted,
    ours: refused,
    reason: "without an option the reference prints an error and exits with success",
  },
  {
    of: ["exit code", "notices", "worst message", "postgresql.auto.conf of n3"],
    cases: /n3\$ repmgr -f \{conf\} node control --disable-wal-receiver && /,
    theirs: { ...refused, "worst message": "warning" },
    ours: accepted,
    reason:
      "the reference needs its library loaded to learn the receiver's process; PostgreSQL tells it, too",
  },
];

const servicing: readonly AllowedDifference[] = [
  {
    of: ["worst message"],
    cases: /node service --action=stop after: service_stop_command='false'$/,
    theirs: { "exit code": 5, "worst message": "none" },
    ours: { "exit code": 5, "worst message": "error" },
    reason: "the reference does not say that the command failed",
  },
];

const nodeChecks: readonly AllowedDifference[] = [
  {
    of: ["stdout"],
    cases: /(?:n5|the primary down: n1)\$ .*node check --db-connection$/,
    theirs: { "exit code": 2 },
    ours: { "exit code": 2 },
    reason:
      "which parameters have defaults depends on the version and the build of libpq, which we do not use",
  },
];

const promoting: readonly AllowedDifference[] = [
  {
    of: ["voting term"],
    cases:
      /^a (?:cluster|cascade) whose primary is down: n2\$ .*standby promote|standby promote --siblings-follow$|standby switchover/,
    theirs: { ...accepted, "voting term": 1 },
    ours: { ...accepted, "voting term": 2 },
    reason: "every promotion begins a term, also one by hand, so that the former primary knows it is over",
  },
  {
    of: ["stdout"],
    cases: /standby promote -F after: service_promote_command=/,
    theirs: accepted,
    ours: { ...accepted, stdout: "" },
    reason: "what a service command prints is no output of ours; the log has it",
  },
];

const switching: readonly AllowedDifference[] = [
  {
    of: ["notices"],
    cases: ["a cluster to switch over: n1$ repmgr -f {conf} standby switchover"],
    theirs: { "exit code": 18 },
    ours: { "exit code": 18 },
    reason: "the reference announces the switchover before it looks where it was asked for",
  },
  {
    of: ["notices"],
    cases: /^a cluster to switch over: n2\$ .* --dry-run$/,
    theirs: accepted,
    ours: accepted,
    reason: "the reference speaks of pausing daemons on all nodes, also where none runs",
  },
  {
    of: ["notices", "events"],
    cases: ["a primary that cannot be stopped: n2$ repmgr -f {conf} standby switchover"],
    theirs: { "exit code": 18, events: [] },
    ours: { "exit code": 18 },
    reason:
      "a shutdown that was asked for may come late, so the primary is started again, and the failure is an event",
  },
];

/** What happened beside the rejoin and what every switchover does, where our program runs on all hosts. */
const eventsOfSwitchovers = {
  "a cluster to switch over: n2$ repmgr -f {conf} standby switchover": [],
  "a cluster to switch over: n2$ repmgr -f {conf} standby switchover --force-rewind": [],
  "a cluster to switch over: n2$ repmgr -f {conf} standby switchover --siblings-follow": [
    "3 standby_follow true",
    "4 witness_register true",
  ],
  "a cascade to switch over: n2$ repmgr -f {conf} standby switchover --siblings-follow": [
    "4 witness_register true",
  ],
  "a primary that shakes off the candidate: n2$ repmgr -f {conf} standby switchover --siblings-follow --always-promote --force-rewind -S postgres":
    ["1 wal_discarded true", "3 standby_follow true", "4 witness_register true"],
};

const switchingEvents = Object.entries(eventsOfSwitchovers).map(([name, events]): AllowedDifference => {
  const always = ["1 node_rejoin true", "2 standby_promote true", "2 standby_switchover true"];
  return {
    of: ["events"],
    cases: [name],
    database: "nolibs",
    theirs: accepted,
    ours: { ...accepted, events: [...always, ...events].sort() },
    reason:
      "the reference records neither a rejoin with -W, as a switchover has it, nor the WAL that is discarded",
  };
});

const formerSlot: AllowedDifference = {
  of: ["recovery and slots of n1"],
  cases: /standby switchover --siblings-follow/,
  theirs: accepted,
  ours: { ...accepted, "recovery and slots of n1": "t|\n" },
  dependsOnTiming: true,
  reason: "the reference keeps the former slot of a sibling that is still in use when it looks",
};

const following: readonly AllowedDifference[] = [
  {
    of: ["exit code", "notices", "worst message", ...rows, "postgresql.auto.conf of n2"],
    cases:
      /^a healthy cluster of three: n2\$ .*standby follow(?: --upstream-node-id=1)?$|^a cascade: n3\$ .*standby follow --upstream-node-id=2$/,
    theirs: { "exit code": 23 },
    ours: accepted,
    reason: "the reference refuses to follow the node that is followed already, because the slot is in use",
  },
  {
    of: ["postgresql.auto.conf of n3", "upstream of n3", "worst message"],
    cases: /standby follow after: use_replication_slots=no/,
    theirs: { ...accepted, "upstream of n3": "\n" },
    ours: { ...accepted, "upstream of n3": "n2\n" },
    reason: "the reference leaves the name of a slot that is not there, never attaches and calls it success",
  },
  {
    of: ["worst message", "notices", "recovery and slots of n1", "recovery and slots of n2"],
    cases: /n3\$ repmgr -f \{conf\} standby follow/,
    theirs: { ...accepted, "worst message": "warning" },
    ours: { ...accepted, "worst message": "none" },
    dependsOnTiming: true,
    reason:
      "that a standby is not attached in the first moment, and that its former slot is still in use, is waited for",
  },
];

const rejoinedAlready: readonly AllowedDifference[] = [
  {
    of: ["exit code", ...rows],
    cases: /^a healthy cluster of three: n2\$ .*node rejoin -d 'host=n1 /,
    theirs: { "exit code": 24 },
    ours: accepted,
    reason: "a node that is a standby of the target is what a rejoin makes; one that was killed ends well so",
  },
];

const notRegistered: readonly AllowedDifference[] = [
  {
    of: ["notices"],
    cases: /standby follow after: DELETE FROM repmgr\.nodes WHERE node_id = 3$/,
    theirs: refused,
    ours: refused,
    reason: "the primary's copy of the record counts, so the primary is looked for first",
  },
];

const rejoining: readonly AllowedDifference[] = [
  {
    of: ["worst message"],
    cases: /node rejoin .*after: .*service_start_command=/,
    theirs: { ...accepted, "worst message": "warning" },
    ours: { ...accepted, "worst message": "none" },
    reason: "the reference warns that the server which it is about to start cannot be reached",
  },
  {
    of: ["events"],
    cases: /node rejoin .*after: service_start_command='false'$/,
    theirs: { "exit code": 4 },
    ours: { "exit code": 4 },
    reason: "the event of a failure says what has failed",
  },
  {
    of: ["events"],
    cases: /node rejoin .* -W after:/,
    theirs: { ...accepted, events: [] },
    ours: accepted,
    reason: "with -W the reference forgets the event, which its manual promises",
  },
  {
    of: ["events"],
    cases: /node rejoin .*--force-rewind/,
    reason: "the event tells which WAL a rewind discards, also of a rewind that fails",
  },
  {
    of: ["notices", "recovery and slots of n1"],
    cases: /^a standby promoted after the other servers stopped: .*--force-rewind --config-files=\S+ after:/,
    theirs: accepted,
    ours: accepted,
    reason: "a node that has not diverged is not rewound, so its slots stay to be named",
  },
  {
    of: ["notices"],
    cases: /^a primary that went on and crashed: .*--force-rewind after:/,
    theirs: accepted,
    ours: accepted,
    reason: "whether a crashed server has diverged is found out and said before the rewind",
  },
];

/** Where roles change hands and where nodes are checked and serviced. */
export const roleDifferences: readonly AllowedDifference[] = [
  ...nodeCommands,
  ...servicing,
  ...nodeChecks,
  ...promoting,
  ...following,
  ...switching,
  ...switchingEvents,
  formerSlot,
  ...rejoinedAlready,
  ...notRegistered,
  ...rejoining,
];
