import {
  hasKnownCluster,
  renderKnownCluster,
  toKnownCluster,
  writeKnownCluster,
} from "../coordination/known-cluster.js";
import { findStateDirectory } from "../coordination/state-directory.js";
import { describeFailure } from "../system/directories.js";
import type { Runtime } from "./runtime.js";

/** Keeps what this node knows of the cluster on disk, for the time when its server is down. */
export interface ClusterKeeper {
  /** `looksAtFile`: also where nothing is new. */
  keep(options: { readonly looksAtFile: boolean }): Promise<void>;
}

export function createClusterKeeper(runtime: Runtime): ClusterKeeper {
  const { context, ownId, systemIdentifier } = runtime;
  const owner = { nodeId: ownId, systemIdentifier };
  let written = "";
  let writtenIn: string | null = null;
  let isTold = false;
  return {
    keep: async ({ looksAtFile }) => {
      const { lastLook, records } = runtime;
      if (lastLook === null) return;
      const text = renderKnownCluster(owner, toKnownCluster(lastLook.look, records));
      const isThere = writtenIn !== null && (!looksAtFile || (await hasKnownCluster(writtenIn, owner)));
      if (text === written && isThere) return;
      const directory = await findStateDirectory(context.settings(), context.environment);
      if (directory.kind === "missing") return;
      try {
        await writeKnownCluster(directory.path, owner, text);
        written = text;
        writtenIn = directory.path;
      } catch (error) {
        if (isTold) return;
        isTold = true;
        context.reporter.warning("what this node knows of the cluster cannot be kept for node guard", {
          detail: describeFailure(error),
        });
      }
    },
  };
}
