import type { Problem } from "../model/problem.js";
import type { CloneFacts, CloneProblem, CloneRequest, CloneTarget } from "./clone-facts.js";

const refuse = (problem: Problem): CloneProblem => ({ kind: "prerequisite", ...problem });

/** What makes the place unusable whatever the source is; `-F` helps against none of it. */
export function judgeTarget(target: CloneTarget): readonly CloneProblem[] {
  const { path, state, unfinishedClone, baseBackupPids } = target;
  if (unfinishedClone !== null && unfinishedClone.programPid !== null) return [otherCloneAtWork(target)];
  if (unfinishedClone === null && baseBackupPids.length > 0) {
    const message = `pg_basebackup is writing to data directory "${path}"`;
    return [
      refuse({
        message,
        detail: `process ID: ${baseBackupPids.join(", ")}`,
        hint: "wait for its end, or end it",
      }),
    ];
  }
  switch (state.kind) {
    case "absent":
      return state.isAncestorWritable ? [] : [refuseUnwritableParent(path, state.ancestor)];
    case "dangling-link":
      return [
        refuse({
          message: `data directory "${path}" is a symbolic link that leads nowhere`,
          hint: "create the directory that it points to",
        }),
      ];
    case "not-a-directory":
      return [
        refuse({
          message: `"${path}" exists but is not a directory`,
          hint: 'check "data_directory" in repmgr.conf, or -D/--pgdata',
        }),
      ];
    case "unreadable":
      return [refuse({ message: `unable to access data directory "${path}"`, detail: state.reason })];
    case "directory":
      return [...judgeDirectory(path, state), ...judgeStrangers(target)];
  }
}

export function otherCloneAtWork({ path, unfinishedClone }: CloneTarget): CloneProblem {
  const pid = unfinishedClone?.programPid ?? null;
  return refuse({
    message: `another "standby clone" is writing to data directory "${path}"`,
    ...(pid === null ? {} : { detail: `its process ID is ${pid}` }),
    hint: "wait for its end, or interrupt it with Ctrl-C",
  });
}

/** A `data_directory` that is one level too high must never cost the other clusters of the host. */
function judgeStrangers({ path, strangers }: CloneTarget): readonly CloneProblem[] {
  if (strangers.length === 0) return [];
  return [
    refuse({
      message: `"${path}" holds more than one data directory would`,
      detail: `in it: ${strangers.map((stranger) => `"${stranger}"`).join(", ")}`,
      hint: 'check "data_directory" in repmgr.conf, or -D/--pgdata; -F/--force does not delete these',
    }),
  ];
}

function judgeDirectory(
  path: string,
  state: Extract<CloneTarget["state"], { readonly kind: "directory" }>,
): readonly CloneProblem[] {
  if (state.serverPid !== null) {
    return [
      refuse({
        message: `specified data directory "${path}" appears to contain a running PostgreSQL instance`,
        detail:
          state.serverPid === "unknown"
            ? "its postmaster.pid is empty or cannot be read, so that nobody can tell"
            : `postmaster.pid names process ${state.serverPid}`,
        hint: "ensure the target data directory does not contain a running PostgreSQL instance",
      }),
    ];
  }
  if (!state.isOwn || !state.isWritable) {
    return [
      refuse({
        message: `data directory "${path}" cannot be used by this user`,
        detail: state.isOwn
          ? "the directory is not writable"
          : "the directory belongs to another user; PostgreSQL only starts on a directory of its own",
        hint: "run this command as the owner of the data directory, or change the owner with chown",
      }),
    ];
  }
  if (state.entries.length === 1 && state.entries[0] === "lost+found") {
    const hint = `use a directory below the mount point, for example "${path}/data"`;
    return [
      refuse({
        message: `data directory "${path}" is the root of a file system`,
        detail: 'it contains "lost+found", which pg_basebackup refuses',
        hint,
      }),
    ];
  }
  return [];
}

function refuseUnwritableParent(path: string, ancestor: string): CloneProblem {
  return refuse({
    message: `unable to create data directory "${path}"`,
    detail: `directory "${ancestor}" is not writable by this user`,
    hint: `create "${path}" as root and give it to this user with chown`,
  });
}

/** A place that is taken: `-F` gives the right to delete what is there. */
export function judgeContents(
  { target }: Pick<CloneFacts, "target">,
  request: CloneRequest,
): readonly CloneProblem[] {
  const { path, state, unfinishedClone } = target;
  if (request.force || request.dryRun || state.kind !== "directory" || state.entries.length === 0) return [];
  const hint = "use -F/--force to overwrite the existing data directory";
  if (unfinishedClone !== null) {
    return [
      refuse({
        message: `an unfinished clone lies in data directory "${path}"`,
        detail: "an earlier run of this program was ended before the standby was complete",
        hint: "use -F/--force to delete it and clone again",
      }),
    ];
  }
  const message = state.isDataDirectory
    ? `specified data directory "${path}" contains a PostgreSQL instance`
    : `specified data directory "${path}" exists but is not empty`;
  return [refuse({ message, hint })];
}

/** pg_basebackup fills tablespaces and a separate WAL directory only where nothing lies. */
export function judgeExternalDirectories(facts: CloneFacts, request: CloneRequest): readonly CloneProblem[] {
  const ours = request.force ? (facts.target.unfinishedClone?.externalDirectories ?? []) : [];
  const taken = facts.externalDirectories.filter(({ path, entries }) => entries > 0 && !ours.includes(path));
  if (taken.length === 0) return [];
  return [
    refuse({
      message: "directories outside the data directory that the clone needs are not empty",
      detail: taken.map(({ path, entries }) => `"${path}" (${entries} entries)`).join("\n"),
      hint: 'empty them, or map the tablespaces to other directories with "tablespace_mapping"',
    }),
  ];
}

export function warnAboutTarget({ target, source }: CloneFacts, request: CloneRequest): readonly Problem[] {
  const { path, state, freeBytes } = target;
  const warnings: Problem[] = [];
  if (state.kind === "directory" && state.entries.length > 0) {
    const message =
      target.unfinishedClone === null
        ? `directory "${path}" exists but is not empty`
        : `an unfinished clone lies in directory "${path}"`;
    const hint = "-F/--force is needed to overwrite it";
    warnings.push(request.force ? { message } : { message, hint });
  }
  if (freeBytes !== null && source.installationBytes !== null && freeBytes < source.installationBytes) {
    warnings.push({
      message: `the file system of "${path}" may be too small`,
      detail: `${formatSize(freeBytes)} are free, the databases of the source take ${formatSize(source.installationBytes)}`,
    });
  }
  return warnings;
}

/** `29 MB`: the rounding of PostgreSQL's pg_size_pretty. */
export function formatSize(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB"] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 10_240 && unit < units.length - 1) {
    value = value / 1024;
    unit += 1;
  }
  return `${Math.round(value)} ${units[unit] ?? "PB"}`;
}
