import { describeNode, type NodeRecord } from "../model/node-record.js";
import type { Problem } from "../model/problem.js";
import {
  judgeRoom,
  judgeUnreachableSiblings,
  needOf,
  reachableSiblings,
  warnAboutSiblings,
} from "./siblings.js";
import type {
  CheckAnswer,
  RefusedCommand,
  RefusalKind,
  RemoteFacts,
  SwitchoverFacts,
  SwitchoverProblem,
  SwitchoverRules,
} from "./switchover-facts.js";

interface Findings {
  readonly problems: readonly SwitchoverProblem[];
  readonly warnings: readonly Problem[];
}

/** A finding that `-F` turns into a warning. */
interface Overridable {
  readonly problem: Problem | null;
  readonly refusal: RefusalKind;
}

const prerequisite = (problem: Problem | null): readonly SwitchoverProblem[] =>
  problem === null ? [] : [{ ...problem, refusal: "prerequisite" }];

const refusal = (problem: Problem | null): readonly SwitchoverProblem[] =>
  problem === null ? [] : [{ ...problem, refusal: "switchover" }];

/** All checks before anything is touched, in the order of the reference (repmgr-cli 6.2.1): its first one decides the exit code. */
export function checkSwitchover(facts: SwitchoverFacts, rules: SwitchoverRules): Findings {
  const overridable = judgeOverridable(facts, rules);
  const forced = overridable.flatMap(({ problem }) => (rules.force && problem !== null ? [problem] : []));
  const fatal = overridable.flatMap(({ problem, refusal: kind }) =>
    rules.force || problem === null ? [] : [{ ...problem, refusal: kind }],
  );
  return {
    problems: [...judgeServers(facts, rules), ...judgeRemote(facts, rules), ...fatal],
    warnings: [
      ...forced,
      ...[warnAboutRights(facts), warnAboutReplay(facts), warnAboutLag(facts, rules)],
      ...[warnAboutArchive(facts), rules.siblingsFollow ? null : warnAboutSiblings(recordsOf(facts))],
    ].filter((warning) => warning !== null),
  };
}

const recordsOf = ({ siblings }: SwitchoverFacts) => siblings.map(({ record }) => record);

function judgeServers(facts: SwitchoverFacts, rules: SwitchoverRules): readonly SwitchoverProblem[] {
  const { own, primary, candidate, demoted } = facts;
  return [
    ...prerequisite(candidate.superuserProblem),
    ...prerequisite(judgeServiceCommands(own, candidate.refusedCommands)),
    ...prerequisite(judgeOwners(facts)),
    ...prerequisite(judgeUpstream(facts)),
    ...prerequisite(judgeAttachment(facts)),
    ...prerequisite(
      candidate.majorVersion === demoted.majorVersion
        ? null
        : {
            message: `nodes ${describeNode(own)} and ${describeNode(primary)} have different major versions`,
            detail: `PostgreSQL ${candidate.majorVersion} here, ${demoted.majorVersion} there`,
          },
    ),
    ...refusal(
      demoted.isInExclusiveBackup
        ? {
            message: "unable to perform a switchover while primary server is in exclusive backup mode",
            hint: "stop backup before attempting the switchover",
          }
        : null,
    ),
    ...prerequisite(rules.forceRewind ? judgeRewind(facts) : null),
  ];
}

function judgeOwners({ candidate: { owners } }: SwitchoverFacts): Problem | null {
  const { ofFile, ofDirectory } = owners;
  if (ofFile === null || ofFile === ofDirectory) return null;
  return {
    message: "ownership of data directory and replication configuration file differs",
    detail: `"postgresql.auto.conf" belongs to user ID ${ofFile}, its directory to ${ofDirectory ?? "another one"}`,
    hint: "give the file to the user that the server runs as",
  };
}

function judgeUpstream({ own, primary }: SwitchoverFacts): Problem | null {
  if (own.upstreamNodeId === primary.nodeId) return null;
  return {
    message: `local node ${describeNode(own)} is not a downstream of current primary ${describeNode(primary)}`,
    detail: `registered upstream node ID is ${own.upstreamNodeId ?? "none"}`,
    hint: "execute standby register --force to update the local node's metadata",
  };
}

function judgeAttachment({ own, primary, candidate: { attachment } }: SwitchoverFacts): Problem | null {
  if (attachment.attached && (attachment.state ?? "streaming") === "streaming") return null;
  return {
    message: `local node ${describeNode(own)} is not attached to demotion candidate ${describeNode(primary)}`,
    detail: attachment.attached
      ? `its state there is "${attachment.state ?? "unknown"}"`
      : `"${own.nodeName}" is not in pg_stat_replication there`,
    hint: "see the log of this server for the reason why it does not stream",
  };
}

function judgeRewind({ demoted }: SwitchoverFacts): Problem | null {
  const reasons = [
    ...(demoted.fullPageWrites ? [] : ['"full_page_writes" is off on the primary']),
    ...(demoted.isRewindable ? [] : ['neither "wal_log_hints" nor data checksums are enabled']),
  ];
  if (reasons.length === 0) return null;
  return {
    message: "--force-rewind specified but pg_rewind cannot be used",
    detail: reasons.join("\n"),
    hint: "leave --force-rewind away: it is needed only if the old primary diverges",
  };
}

function judgeRemote(facts: SwitchoverFacts, rules: SwitchoverRules): readonly SwitchoverProblem[] {
  const { remote, primary } = facts;
  if (remote.kind === "unusable") return prerequisite(remote.problem);
  const on = `node ${describeNode(primary)}`;
  if (!remote.hasConfigFile) {
    return prerequisite({
      message: `unable to find configuration file on ${on}`,
      detail: `remote configuration file is "${primary.configFile}"`,
      hint: 'execute "primary register --force" there with the right -f',
    });
  }
  return [
    ...prerequisite(
      judgeAnswer(remote.dataDirectory, {
        message: `"data_directory" parameter in repmgr.conf on ${on} is incorrectly configured`,
        hint: `execute "node check --data-directory-config" there for details`,
      }),
    ),
    ...(remote.superuser === null
      ? []
      : [
          judgeAnswer(remote.superuser, {
            message: `unable to connect locally as superuser "${rules.superuser ?? ""}" on ${on}`,
            hint: `check that this user may connect on the node itself`,
          }),
        ].flatMap((problem) => (problem === null ? [] : [{ ...problem, refusal: "connection" as const }]))),
    ...prerequisite(
      judgeAnswer(remote.configOwner, {
        message: `ownership error in the replication configuration of ${on}`,
        hint: '"postgresql.auto.conf" and the data directory must belong to the same user',
      }),
    ),
    ...prerequisite(
      judgeAnswer(remote.replicationConnection, {
        message: "replication connection from the demotion candidate to the promotion candidate failed",
        hint: "pg_hba.conf of this node must let the replication user in from the other one",
      }),
    ),
    ...prerequisite(judgeServiceCommands(primary, remote.refusedCommands)),
    ...judgeArchiveAnswer(remote, rules),
  ];
}

function judgeServiceCommands(node: NodeRecord, refused: readonly RefusedCommand[]): Problem | null {
  if (refused.length === 0) return null;
  return {
    message: `the service commands of node ${describeNode(node)} are not allowed`,
    detail: refused.map(({ command, reason }) => `${command}: ${reason}`).join("\n"),
    hint: "allow them in /etc/sudoers, with NOPASSWD",
  };
}

function judgeAnswer(answer: CheckAnswer, problem: Problem): Problem | null {
  if (answer.kind === "answered" && answer.value === "OK") return null;
  return { ...problem, detail: answer.kind === "failed" ? answer.reason : `answered "${answer.value}"` };
}

/** A primary whose database cannot be asked stays fatal with `-F`. */
function judgeArchiveAnswer(
  remote: Extract<RemoteFacts, { readonly kind: "usable" }>,
  rules: SwitchoverRules,
): readonly SwitchoverProblem[] {
  const { archive } = remote;
  if (archive === null || (archive.kind === "answered" && archive.status !== "UNKNOWN")) return [];
  if (rules.force && archive.kind === "answered") return [];
  return refusal({
    message: "unable to check the number of files waiting to be archived on the demotion candidate",
    ...(archive.kind === "failed" ? { detail: archive.reason } : {}),
    hint: 'execute "node check --archive-ready" there for details',
  });
}

function judgeOverridable(facts: SwitchoverFacts, rules: SwitchoverRules): readonly Overridable[] {
  const { own, primary, siblings, candidate } = facts;
  const reachable = rules.siblingsFollow ? reachableSiblings(siblings) : [];
  const room = judgeRoom(own, candidate.room, needOf(primary, reachable));
  return [
    {
      problem: rules.siblingsFollow ? judgeUnreachableSiblings(siblings) : null,
      refusal: "prerequisite",
    },
    { problem: room.walSenders, refusal: "prerequisite" },
    { problem: judgeArchiveBacklog(facts), refusal: "switchover" },
    { problem: judgeLag(facts, rules), refusal: "switchover" },
    { problem: room.slots, refusal: "prerequisite" },
    { problem: rules.pauses ? judgeDaemons(facts) : null, refusal: "switchover" },
  ];
}

function judgeArchiveBacklog({ remote }: SwitchoverFacts): Problem | null {
  const archive = remote.kind === "usable" ? remote.archive : null;
  if (archive?.kind !== "answered" || archive.status !== "CRITICAL") return null;
  return {
    message: "number of pending archive files on demotion candidate is critical",
    detail: `${archive.files} pending archive files (critical threshold: ${archive.threshold})`,
    hint: "PostgreSQL will not shut down until all files are archived; with -F/--force it is tried all the same",
  };
}

function warnAboutArchive({ remote }: SwitchoverFacts): Problem | null {
  const archive = remote.kind === "usable" ? remote.archive : null;
  if (archive?.kind !== "answered" || archive.status !== "WARNING") return null;
  return {
    message: "number of pending archive files on demotion candidate exceeds the warning threshold",
    detail: `${archive.files} pending archive files (warning threshold: ${archive.threshold})`,
    hint: "PostgreSQL will not shut down until all files are archived",
  };
}

function judgeLag({ candidate: { lagSeconds } }: SwitchoverFacts, rules: SwitchoverRules): Problem | null {
  if (lagSeconds === null) {
    return {
      message: "unable to check replication lag on local node",
      hint: "with -F/--force the switchover is tried all the same",
    };
  }
  if (lagSeconds < rules.lagCriticalSeconds) return null;
  return {
    message: "replication lag on this node is critical",
    detail: `lag is ${lagSeconds} seconds (critical threshold: ${rules.lagCriticalSeconds})`,
    hint: "PostgreSQL on the current primary will not shut down until all files are replicated; with -F/--force it is tried all the same",
  };
}

function warnAboutLag(
  { candidate: { lagSeconds } }: SwitchoverFacts,
  { lagWarningSeconds, lagCriticalSeconds }: SwitchoverRules,
): Problem | null {
  if (lagSeconds === null || lagSeconds < lagWarningSeconds || lagSeconds >= lagCriticalSeconds) return null;
  return {
    message: "replication lag on this node exceeds the warning threshold",
    detail: `lag is ${lagSeconds} seconds (warning threshold: ${lagWarningSeconds})`,
  };
}

function judgeDaemons({ daemons }: SwitchoverFacts): Problem | null {
  const unknown = daemons.filter(({ record, state }) => record.active && state === "unknown");
  if (unknown.length === 0) return null;
  return {
    message: `unable to connect to ${unknown.length} of ${daemons.length} nodes to pause their daemons`,
    detail: unknown
      .map(({ record, reason }) => `node ${describeNode(record)}: ${reason ?? "no answer"}`)
      .join("\n"),
    hint: "a daemon that is not paused may start a failover; use -F/--force to continue all the same",
  };
}

function warnAboutRights({ candidate, remote }: SwitchoverFacts): Problem | null {
  const superuser = remote.kind === "usable" ? remote.superuser : null;
  if (candidate.isSuperuser || superuser !== null) return null;
  return {
    message: "no superuser connection available",
    detail: "without the right to CHECKPOINT the shutdown takes as long as a checkpoint",
    hint: "provide a superuser with -S/--superuser, or grant pg_checkpoint",
  };
}

/** A promotion first replays what was received: that lengthens the time without a primary. */
function warnAboutReplay({ candidate: { replay } }: SwitchoverFacts): Problem | null {
  const { received, replayed, isPaused, delayMs } = replay;
  const pending = received === null || replayed === null ? 0n : received - replayed;
  if (!isPaused && delayMs === 0) return null;
  return {
    message: isPaused ? "WAL replay is paused on this node" : "WAL replay is delayed on this node",
    detail: `${pending} bytes of received WAL are replayed before the promotion completes`,
  };
}
