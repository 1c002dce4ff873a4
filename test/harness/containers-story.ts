import { afterAll, afterEach, beforeAll, beforeEach, describe, inject } from "vitest";
import { isRunning } from "./containers-engine.js";
import { startNetwork, type ContainerNetwork } from "./containers.js";

export interface Story {
  readonly title: string;
  /** The first of these that is free is taken; each is `a.b.c` of a.b.c.0/24. */
  readonly networkPrefixes: readonly string[];
  /** Declares the chapters, which are tests; the network is there when they run. */
  readonly tell: (network: () => ContainerNetwork) => void;
}

/**
 * Declares tests that are told one after the other on one network of containers. What follows a failed chapter is
 * skipped, everything is skipped without an engine; the containers go away at the end, after a failure their logs stay.
 */
export function describeStory({ title, networkPrefixes, tell }: Story): void {
  describe(title, () => {
    let network: ContainerNetwork | null = null;
    let hasFailed = false;

    beforeAll(async () => {
      if (inject("engineFailure") === null) network = await startNetwork(networkPrefixes);
    });

    beforeEach((context) => {
      const engineFailure = inject("engineFailure");
      if (engineFailure !== null) context.skip(engineFailure);
      if (hasFailed) context.skip("an earlier chapter of the story has failed");
    });

    afterEach((context) => {
      hasFailed ||= context.task.result?.state === "fail";
    });

    afterAll(async () => {
      if (network === null) return;
      const isInterrupted = !isRunning(inject("containerOwner"));
      if (hasFailed && !isInterrupted)
        console.error(`transcripts and logs of "${title}" are in ${await network.keepLogs()}`);
      await network.remove();
    });

    tell(() => {
      if (network === null) throw new Error("the network is used before it was started");
      return network;
    });
  });
}
