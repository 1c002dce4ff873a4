import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { findStateDirectory } from "../coordination/state-directory.js";
import {
  emptyState,
  readState,
  stateFileOf,
  writeState,
  type DaemonState,
  type StateOwner,
} from "../coordination/state-file.js";
import { describeFailure, ensureDirectory } from "../system/directories.js";
import { openLineFile, type LineFile } from "../system/line-file.js";
import type { DaemonContext } from "./daemon-context.js";

/** What the daemon remembers, over its own restarts too. */
export interface Memory {
  state(): DaemonState;
  /** Changes the state and puts it on disk before it resolves. Throws the file system's error; nothing changed then. */
  change(changes: Partial<DaemonState>): Promise<void>;
  /** Why votes of before are not known; then no vote is given until they have run out. Null: they are. */
  readonly forgottenBecause: string | null;
  /** Of the state file; null when there is no directory for it. */
  readonly path: string | null;
  /** Why the state is not on disk now, as far as the last write or look has told; null: it is. */
  readonly unkeptBecause: string | null;
  /** Looks whether the file still has the state, and writes it anew where it has not. True when it had to. */
  keep(): Promise<boolean>;
  /** Null when there is no directory for it. */
  readonly spoolFile: LineFile | null;
}

/** Reads what the last daemon of this node left. What is damaged is told, and replaced. */
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
  /** That the file cannot be written is told as soon as the daemon looks after it. */
  const begin = async (recalled: Recalled): Promise<Memory> => {
    const memory = makeMemory(path, owner, recalled);
    await memory.keep().catch(() => undefined);
    return memory;
  };
  switch (reading.kind) {
    case "read":
      return makeMemory(path, owner, { state: reading.state, forgottenBecause: null, spoolFile });
    case "absent":
      reporter.info(`no state file of this node in "${directory.path}" yet`);
      return begin({ state: emptyState, forgottenBecause: "there is no state file", spoolFile });
    case "unusable":
      reporter.error(`state file "${path}" cannot be used`, {
        detail: reading.reason,
        hint: "this node gives no vote until all votes that it may have given have run out",
      });
      return begin({ state: emptyState, forgottenBecause: reading.reason, spoolFile });
  }
}

type Recalled = Pick<Memory, "forgottenBecause" | "spoolFile"> & { readonly state: DaemonState };

function makeMemory(path: string | null, owner: StateOwner, { state, ...rest }: Recalled): Memory {
  let current = state;
  let unkeptBecause = path === null ? rest.forgottenBecause : null;
  let writing: Promise<unknown> = Promise.resolve();
  /** One after the other: each starts from what the one before has left. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = writing.then(work);
    writing = result.catch(() => undefined);
    return result;
  };
  const write = async (next: DaemonState): Promise<void> => {
    if (path === null) return;
    try {
      await ensureDirectory(dirname(path));
      await writeState(path, owner, next);
      unkeptBecause = null;
    } catch (error) {
      unkeptBecause = describeFailure(error);
      throw error;
    }
  };
  return {
    ...rest,
    path,
    get unkeptBecause() {
      return unkeptBecause;
    },
    state: () => current,
    change: (changes) =>
      inTurn(async () => {
        const next = { ...current, ...changes };
        await write(next);
        current = next;
      }),
    keep: () =>
      inTurn(async () => {
        if (path === null) return false;
        const reading = await readState(path, owner);
        if (reading.kind === "read" && isDeepStrictEqual(reading.state, current)) {
          unkeptBecause = null;
          return false;
        }
        await write(current);
        return true;
      }),
  };
}
