/** What was acquired is released in reverse order: at the end of a command, on an error and on Ctrl-C alike. */
export interface CleanupStack {
  /** Registers a release; the returned function withdraws it once there is nothing left to release. */
  push(release: () => Promise<void>): () => void;
  /** Registers the goodbye to what the end of this process releases anyway: nobody waits for an answer. */
  pushFarewell(say: () => void): void;
  /** Runs every release, newest first; a failing one does not keep the others from running. Then says farewell. */
  unwind(): Promise<readonly unknown[]>;
}

/** Says farewell at once, or hands it to whoever knows a better moment. */
type FarewellMoment = (sayAll: () => void) => void;

/**
 * The last act of this process: servers and hosts that hear that a session is over have work to do, on the machine of
 * this process perhaps, and its end is what the user waits for.
 */
export const atExit: FarewellMoment = (sayAll) => void process.once("exit", sayAll);

export function createCleanupStack(whenToSay: FarewellMoment = (sayAll) => sayAll()): CleanupStack {
  const releases: (() => Promise<void>)[] = [];
  const farewells: (() => void)[] = [];
  return {
    push: (release) => {
      releases.push(release);
      return () => {
        const index = releases.lastIndexOf(release);
        if (index >= 0) releases.splice(index, 1);
      };
    },
    pushFarewell: (say) => void farewells.push(say),
    unwind: async () => {
      const failures: unknown[] = [];
      for (let release = releases.pop(); release !== undefined; release = releases.pop()) {
        try {
          await release();
        } catch (error) {
          failures.push(error);
        }
      }
      const left = farewells.splice(0);
      whenToSay(() => left.forEach((say) => say()));
      return failures;
    },
  };
}
