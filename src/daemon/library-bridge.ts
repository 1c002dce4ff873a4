import {
  hasReferenceLibrary,
  removeFromLibrary,
  showInLibrary,
  showUpstreamSeen,
} from "../coordination/reference-library.js";
import { watchedUpstream } from "../decide/transitions.js";
import type { DaemonState } from "../decide/watch-types.js";
import type { NodeId } from "../model/node-record.js";
import { currentProcessId } from "../system/process-table.js";
import { queryTimeoutMs, type Runtime } from "./runtime.js";

/** Keeps the functions of the reference true where its library is loaded: mixed clusters, monitoring scripts. */
export interface LibraryBridge {
  update(state: DaemonState): Promise<void>;
}

export function createLibraryBridge(runtime: Runtime): LibraryBridge {
  const { context, own, ownId, shown } = runtime;
  /** Of this start of the server; the library forgets everything with it. */
  let server: { readonly startedAt: string; readonly isLoaded: boolean } | null = null;
  /** Undefined: nothing was shown to this start of the server. */
  let shownUpstream: NodeId | null | undefined;
  let shownSeenAt: number | null = null;

  context.cleanup.push(async () => {
    if (server?.isLoaded === true) await own.use(queryTimeoutMs(runtime), removeFromLibrary);
  });
  const isLoadedOn = async (startedAt: string): Promise<boolean> => {
    if (server?.startedAt === startedAt) return server.isLoaded;
    const found = await own.use(queryTimeoutMs(runtime), hasReferenceLibrary);
    if (found.kind !== "answered") return false;
    server = { startedAt, isLoaded: found.value };
    shownUpstream = undefined;
    return found.value;
  };
  return {
    update: async (state) => {
      const { lastLook } = runtime;
      if (lastLook === null || !(await isLoadedOn(lastLook.look.startedAt))) return;
      const upstream = state.watch.role === "primary" ? null : watchedUpstream(state);
      const seenAt = upstream === null || upstream === ownId ? null : shown.upstreamSeenAt;
      await own.use(queryTimeoutMs(runtime), async (database) => {
        if (shownUpstream !== upstream) {
          await showInLibrary(database, {
            nodeId: ownId,
            upstreamNodeId: upstream,
            processId: currentProcessId(),
            pidFile: context.pidFile,
          });
          shownUpstream = upstream;
        }
        if (upstream === null || seenAt === null || seenAt === shownSeenAt) return;
        await showUpstreamSeen(database, upstream);
        shownSeenAt = seenAt;
      });
    },
  };
}
