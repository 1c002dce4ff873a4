import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  emptyState,
  readState,
  stateFileOf,
  writeState,
  type DaemonState,
} from "../../../src/coordination/state-file.js";
import { nodeId } from "../../../src/model/node-record.js";

const owner = { systemIdentifier: "7400000000000000001", nodeId: nodeId(2) };
const state: DaemonState = {
  ...emptyState,
  votedTerm: 8,
  votedFor: nodeId(3),
  isPaused: true,
  wasPrimary: { timeline: 4, term: 7, reason: "superseded" },
};

describe("the state file", () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "state-"));
    path = stateFileOf(directory, owner);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("is read as it was written, and only its owner may look into it", async () => {
    await writeState(path, owner, emptyState);
    await writeState(path, owner, state);
    expect(await readState(path, owner)).toEqual({ kind: "read", state });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("may be absent", async () => {
    expect(await readState(path, owner)).toEqual({ kind: "absent" });
  });

  it.each<[string, (text: string) => string]>([
    ["empty", () => ""],
    ["cut off", (text) => text.slice(0, 40)],
    ["of a newer release", (text) => text.replace('"format": 1', '"format": 2')],
    ["changed by hand", (text) => text.replace('"votedTerm": 8', '"votedTerm": 1')],
  ])("is not believed when it is %s", async (_, damage) => {
    await writeState(path, owner, state);
    writeFileSync(path, damage(readFileSync(path, "utf8")));
    expect(await readState(path, owner)).toMatchObject({ kind: "unusable" });
  });

  it("is not believed when others may write it, or when it is another node's", async () => {
    await writeState(path, owner, state);
    expect(await readState(path, { ...owner, nodeId: nodeId(3) })).toMatchObject({
      reason: "it is another node's",
    });
    chmodSync(path, 0o666);
    expect(await readState(path, owner)).toMatchObject({ reason: "other users may write it" });
  });
});
