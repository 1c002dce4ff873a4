import type { AllowedDifference } from "./allowed-difference.js";
import type { Observation } from "./observe.js";
import { roleDifferences } from "./role-differences.js";

const accepted: Observation = { "exit code": 0 };
const refused: Observation = { "exit code": 1 };
const everything = ["exit code", "stdout", "worst message"];

const commandLine: readonly AllowedDifference[] = [
  {
    of: ["stdout"],
    cases: ["a healthy cluster: n2$ repmgr --version-number"],
    reference: "5.3.3",
    theirs: { stdout: "50303\n" },
    ours: { stdout: "50500\n" },
    reason: "we say which repmgr we stand for, which is 5.5.0",
  },
  {
    of: everything,
    cases: /--limit=2x$/,
    theirs: accepted,
    ours: refused,
    reason: "text after a number is a typing error, not nothing",
  },
  {
    of: ["worst message"],
    cases: /--dump-config cluster show$/,
    theirs: refused,
    ours: { "worst message": "error" },
    reason: "the reference prints this error without a level and without a line end",
  },
  {
    of: ["worst message"],
    cases: /^a healthy cluster: .*cluster show (?:-h n1|-d '?(?:host|postgresql:))/,
    ours: { "worst message": "warning", "exit code": 0 },
    reason: "connection options that repmgr.conf overrules are ignored by both; we say so",
  },
];

const fullDisk: readonly AllowedDifference[] = [
  {
    of: ["exit code", "worst message"],
    cases: /cluster show >\/dev\/full$/,
    theirs: accepted,
    ours: { "worst message": "error" },
    reason: "output that could not be written must not look like success",
  },
];

const configuration: readonly AllowedDifference[] = [
  {
    of: everything,
    cases: /cluster=test\\nnode=1/,
    theirs: accepted,
    ours: refused,
    reason: "settings of repmgr 3 mean that the whole file is of repmgr 3; ignoring them hides it",
  },
  {
    of: everything,
    cases: /priority=''/,
    theirs: accepted,
    ours: refused,
    reason: "an empty integer is silently 0 in the reference, past the setting's range",
  },
  {
    of: everything,
    cases: /recovery_min_apply_delay='5 min'/,
    theirs: refused,
    ours: accepted,
    reason: "the reference's own sample file writes it so, and its parser refuses it",
  },
];

const reading: readonly AllowedDifference[] = [
  {
    of: everything,
    cases: /cluster event --node-id=77$/,
    theirs: refused,
    ours: accepted,
    reason: "events of a node that is not registered any more can be selected by its id",
  },
  {
    of: ["worst message"],
    cases: /cluster show/,
    theirs: { "exit code": 25, "worst message": "warning" },
    ours: { "worst message": "none" },
    reason: "where issues are not listed (--csv, -t) the reference still logs while it looks for them",
  },
  {
    of: ["worst message"],
    cases: /cluster show --compact --csv -v$/,
    theirs: { "exit code": 25, "worst message": "error" },
    ours: { "worst message": "none" },
    reason: "a node that is down is a result of cluster show, not an error of it",
  },
  {
    of: ["worst message"],
    cases: /^hosts that let each other in, a standby down: .*cluster crosscheck/,
    theirs: { "exit code": 25, "worst message": "error" },
    ours: { "exit code": 25 },
    reason: "a node that is down is a result of cluster crosscheck, not an error of it",
  },
  {
    of: ["stdout"],
    cases:
      /^records with wide, empty and foreign words: n1\$ repmgr -f \{conf\} cluster show(?: --compact)?$/,
    reason: "columns are as wide as what is seen; the reference counts bytes",
  },
];

const rows = ["nodes", "events", "history", "notices", "worst message"];

const dryRuns: readonly AllowedDifference[] = [
  {
    of: ["exit code", "worst message"],
    cases: /n1\$ repmgr -f \{conf\} primary register --dry-run$/,
    theirs: accepted,
    ours: refused,
    reason:
      "the reference's dry run ends before its check for an existing record, which the real run then fails",
  },
  {
    of: ["notices"],
    cases: /primary register --dry-run after: DROP EXTENSION|witness unregister --dry-run$/,
    theirs: accepted,
    ours: accepted,
    reason: "what would be done is told in our words",
  },
  {
    of: rows,
    cases: /(?:standby unregister|cluster cleanup) --dry-run$/,
    theirs: accepted,
    ours: { ...accepted, events: [] },
    reason: "the reference warns that --dry-run has no effect and does everything",
  },
];

const registering: readonly AllowedDifference[] = [
  {
    of: ["notices"],
    cases: /(?:primary|witness) register .*after: .*DROP EXTENSION/,
    theirs: accepted,
    ours: accepted,
    reason: "there is no extension: the schema is made with plain SQL, and the lines say so",
  },
  {
    of: ["worst message"],
    cases: /(?:primary|witness) register -S postgres/,
    theirs: { "worst message": "warning" },
    ours: { "worst message": "none" },
    reason: "the reference says that it ignores -S, and uses it",
  },
  {
    of: ["voting term"],
    cases: /UPDATE repmgr\.voting_term SET term = 9$/,
    theirs: { "voting term": 1 },
    ours: { "voting term": 9 },
    reason: "the term never goes backwards: votes of old terms would count again",
  },
  {
    of: ["worst message"],
    cases: /^a primary that has failed: n2\$ .*primary register/,
    theirs: { "exit code": 0, "worst message": "error" },
    ours: { "exit code": 0, "worst message": "none" },
    reason: "that the failed server cannot be reached is no error of this command",
  },
  {
    of: ["notices"],
    cases: ["a primary that has failed: n2$ repmgr -f {conf} primary register"],
    theirs: refused,
    ours: { ...refused, notices: [] },
    reason: "the reference announces a change, refuses the command and takes the change back",
  },
  {
    of: ["notices"],
    cases:
      /standby register -F --upstream-node-id=1 after: UPDATE repmgr\.nodes SET active = false WHERE node_id = 3$/,
    theirs: accepted,
    ours: accepted,
    reason: "the reference calls the upstream inactive when the record of the node itself is",
  },
  {
    of: ["events"],
    cases: /n5\$ repmgr -f \{conf\} standby register -F -h n1 -U repmgr -d \{database\}$/,
    theirs: accepted,
    ours: accepted,
    reason: "of a server that is down the reference records -1 as its upstream, though its row says 1",
  },
  {
    of: ["worst message"],
    cases: /n5\$ .*standby register -F .* --upstream-node-id=2$/,
    theirs: { ...accepted, "worst message": "warning" },
    ours: { ...accepted, "worst message": "none" },
    reason: "a server that is down is attached to nothing; that needs no warning",
  },
];

const unregistering: readonly AllowedDifference[] = [
  {
    of: ["worst message"],
    cases: /(?:primary|standby) unregister|master unregister/,
    theirs: { ...accepted, "worst message": "none" },
    ours: { ...accepted, "worst message": "warning" },
    reason: "we warn when the server goes on without its record, or when no primary is registered any more",
  },
  {
    of: [...rows, "nodes on the witness"],
    cases: /standby unregister --node-name=n2$/,
    theirs: accepted,
    ours: accepted,
    reason: "the reference looks the name up and then unregisters the local node",
  },
  {
    of: ["notices"],
    cases: /n2\$ repmgr -f \{conf\} standby unregister after: UPDATE repmgr\.nodes SET upstream_node_id = 2/,
    theirs: refused,
    ours: refused,
    reason: "that other nodes depend on the record is found before it is announced that it goes",
  },
  {
    of: ["exit code", "worst message", "notices", ...rows],
    cases: /n5\$ .*-h n1 .*witness unregister --node-id=4 -F$/,
    theirs: { "exit code": 6 },
    ours: accepted,
    reason:
      "the reference needs the local server to look up the id, so that -F cannot do what it is for: unregister a witness that is down",
  },
];

const cloning: readonly AllowedDifference[] = [
  {
    of: ["notices"],
    cases: /n5\$ repmgr -f \{conf\} -h n2 .*standby clone -c$|standby clone -c --upstream-node-id=2$/,
    theirs: accepted,
    ours: accepted,
    reason: 'the reference says twice that the slot on the source is gone, once of "node -1"',
  },
  {
    of: ["stdout"],
    cases: /standby clone -c --verify-backup$/,
    theirs: { ...accepted, stdout: "backup successfully verified\n" },
    ours: { ...accepted, stdout: "" },
    reason: "what pg_verifybackup says is an INFO line",
  },
  {
    of: [
      "exit code",
      "backup label",
      "data directory",
      "postgresql.auto.conf",
      "standby.signal",
      "slots of n1",
      ...rows,
    ],
    cases: /standby clone -c --no-upstream-connection$/,
    theirs: refused,
    ours: accepted,
    reason: "both warn that the option is for Barman only; we then ignore it as we said",
  },
  {
    of: ["notices"],
    cases: /standby clone -c after: (?:mkdir -p \/cluster\/data && echo 15|node_name='n3')/,
    theirs: refused,
    ours: refused,
    reason: "we look at everything before we name the first problem, also at the connections",
  },
  {
    of: ["exit code", "backup label", "postgresql.auto.conf", "standby.signal", "slots of n1", ...rows],
    cases: /pg_basebackup_options='--no-slot'$/,
    theirs: { "exit code": 14 },
    ours: accepted,
    reason: "the reference adds --slot to --no-slot, which pg_basebackup refuses",
  },
  {
    of: ["data directory", "notices"],
    cases: /pg_basebackup_options='--nosuch'$/,
    theirs: { "exit code": 14 },
    ours: { "exit code": 14, "data directory": "" },
    reason: "a failed clone leaves no directory of its own behind",
  },
  {
    of: ["worst message"],
    cases: /standby clone -c$/,
    theirs: { ...accepted, "worst message": "warning" },
    ours: { ...accepted, "worst message": "none" },
    reason: "-D that names the directory of repmgr.conf is not ignored, so that there is nothing to warn of",
  },
];

const copyingFiles: readonly AllowedDifference[] = [
  {
    of: ["notices"],
    cases: /standby clone -c --copy-external-config-files/,
    theirs: accepted,
    ours: accepted,
    reason: "which files are copied is said in an INFO line, or a list with --dry-run, in our words",
  },
  {
    of: ["stdout"],
    cases: /standby clone -c --copy-external-config-files/,
    ours: { ...accepted, stdout: "" },
    reason: "the progress of rsync is no result of the command",
  },
  {
    of: ["worst message"],
    cases: /standby clone -c --copy-external-config-files/,
    theirs: { ...accepted, "worst message": "none" },
    ours: { ...accepted, "worst message": "warning" },
    reason: "a file of the source that belongs to root becomes ours in both, and we say so",
  },
  {
    of: [
      ...["exit code", "inspected", "backup label", "data directory", "postgresql.auto.conf"],
      ...["standby.signal", "slots of n1", ...rows],
    ],
    cases: /standby clone -c --copy-external-config-files=\w+ after: rm -rf \S+$/,
    theirs: { "exit code": 2 },
    ours: accepted,
    reason: "a folder that is missing, also the data directory itself, is made; the reference fails on it",
  },
];

/** Everything in which we do not do what the reference does. */
export const allowedDifferences: readonly AllowedDifference[] = [
  ...commandLine,
  ...fullDisk,
  ...configuration,
  ...reading,
  ...dryRuns,
  ...registering,
  ...unregistering,
  ...cloning,
  ...copyingFiles,
  ...roleDifferences,
];
