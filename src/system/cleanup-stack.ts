/** What was acquired is released in reverse order: at the end of a command, on an error and on Ctrl-C alike. */
export interface CleanupStack {
  /** Registers a release; the returned function withdraws it once there is nothing left to release. */
  push(release: () => Promise<void>): () => void;
  /** Runs every release, newest first; a failing one does not keep the others from running. */
  unwind(): Promise<readonly unknown[]>;
}

export function createCleanupStack(): CleanupStack {
  const releases: (() => Promise<void>)[] = [];
  return {
    push: (release) => {
      releases.push(release);
      return () => {
        const index = releases.lastIndexOf(release);
        if (index >= 0) releases.splice(index, 1);
      };
    },
    unwind: async () => {
      const failures: unknown[] = [];
      for (let release = releases.pop(); release !== undefined; release = releases.pop()) {
        try {
          await release();
        } catch (error) {
          failures.push(error);
        }
      }
      return failures;
    },
  };
}
