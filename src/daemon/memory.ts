import { findStateDirectory } from "../coordination/state-directory.js";
import {
  emptyState,
  readState,
  stateFileOf,
  writeState,
  type DaemonState,
  type StateOwner,
} from "../coordination/state-file.js";
import { openLineFile, type LineFile } from "../system/line-file.js";
import type { DaemonContext } from "./daemon-context.js";

/** What the daemon remembers, over its own restarts too. */
export interface Memory {
  state(): DaemonState;
  /** Changes the state and puts it on disk before it resolves. Throws the file system's error; nothing changed then. */
  change(changes: Partial<DaemonState>): Promise<void>;
  /** Why votes of before are not known; then no vote is given until they have run out. Null: they are. */
  readonly forgottenBecause: string | null;
  /** Null when there is no directory for it. */
  readonly spoolFile: LineFile | null;
}

/** Reads what the last daemon of this node left. What is damaged is told, and replaced at the next change. */
export async function recall(context: DaemonContext, owner: StateOwner): Promise<Memory> {
  const { reporter, environment } = context;
  const directory = await findStateDirectory(context.settings(), environment);
  if (directory.kind === "missing") {
    reporter.warning("no directory for what the daemon must remember over a restart", {
      detail: directory.reason,
      hint: 'set "state_directory" in repmgr.conf to a directory that this user may write',
    });
    return makeMemory(null, owner, {
      state: emptyState,
      forgottenBecause: directory.reason,
      spoolFile: null,
    });
  }
  const path = stateFileOf(directory.path, owner);
  const spoolFile = openLineFile(path.replace(/\.json$/, ".events"));
  const reading = await readState(path, owner);
  switch (reading.kind) {
    case "read":
      return makeMemory(path, owner, { state: reading.state, forgottenBecause: null, spoolFile });
    case "absent":
      reporter.info(`no state file of this node in "${directory.path}" yet`);
      return makeMemory(path, owner, {
        state: emptyState,
        forgottenBecause: "there is no state file",
        spoolFile,
      });
    case "unusable":
      reporter.error(`state file "${path}" cannot be used`, {
        detail: reading.reason,
        hint: "this node gives no vote until all votes that it may have given have run out",
      });
      return makeMemory(path, owner, { state: emptyState, forgottenBecause: reading.reason, spoolFile });
  }
}

function makeMemory(
  path: string | null,
  owner: StateOwner,
  { state, ...rest }: Pick<Memory, "forgottenBecause" | "spoolFile"> & { readonly state: DaemonState },
): Memory {
  let current = state;
  let writing: Promise<void> = Promise.resolve();
  return {
    ...rest,
    state: () => current,
    change: (changes) => {
      const write = async (): Promise<void> => {
        const next = { ...current, ...changes };
        if (path !== null) await writeState(path, owner, next);
        current = next;
      };
      // One after the other: each starts from what the one before has left.
      const result = writing.then(write);
      writing = result.catch(() => undefined);
      return result;
    },
  };
}
