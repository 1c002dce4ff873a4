import { describe, expect, it } from "vitest";
import { parseBaseBackupOptions } from "../../../src/decide/basebackup-options.js";

describe("parseBaseBackupOptions", () => {
  it.each([
    ["", { args: [], walMethod: null, slot: null, noSlot: false, walDirectory: null }],
    ["--wal-method=fetch", { walMethod: "fetch" }],
    ["--wal-m fetch", { walMethod: "fetch", args: ["--wal-m", "fetch"] }],
    ["-Xn", { walMethod: "none" }],
    ["-vX s", { walMethod: "stream" }],
    ["-X fetch -X stream", { walMethod: "stream" }],
    ["--slot=a", { slot: "a" }],
    ["--no-slot -v", { noSlot: true }],
    ["--waldir='/my wal'", { walDirectory: "/my wal", args: ["--waldir=/my wal"] }],
    ["--no-manifest", { noManifest: true, noSync: false }],
    ["-vN", { noSync: true }],
    ["--no-sync", { noSync: true }],
    ["-l '--slot=no'", { slot: null }],
    ["-T /a\\\\=b=/c", { tablespaceMappings: [{ oldDirectory: "/a=b", newDirectory: "/c" }] }],
    ["--label=$NAME", { args: ["--label=it"] }],
    ["--some-new-option=1", { args: ["--some-new-option=1"] }],
  ])("understands %s", (text, expected) => {
    const parsed = parseBaseBackupOptions(text, { NAME: "it" });
    expect(parsed.kind === "understood" ? parsed.options : parsed.problem).toMatchObject(expected);
  });

  it.each([
    ["-v; rm -rf /", /";" is for a shell/],
    ["-v > /tmp/x", /">" is for a shell/],
    ["-v | cat", /"\|" is for a shell/],
    ["--label=*", /is for a shell/],
    ["-v # comment", /"#" is for a shell/],
    ["--no-slot -S a", /cannot be used together/],
    ["--waldir=relative", /must be an absolute path/],
    ["-X sideways", /--wal-method=sideways does not exist/],
    ["-D /elsewhere", /--pgdata is not possible here/],
    ["--pgd=/elsewhere", /--pgdata is not possible here/],
    ["-Ft", /--format=t is not possible here/],
    ["--target=server:/x", /--target is not possible here/],
    ["-W", /--password is not possible here/],
    ["--slot", /"--slot" needs a value/],
    ["stray", /is not an option of pg_basebackup/],
  ])("refuses %s", (text, reason) => {
    const parsed = parseBaseBackupOptions(text);
    expect(parsed.kind === "refused" ? parsed.problem.detail : "").toMatch(reason);
  });
});
