import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemFiles } from "../../../src/system/files.js";

const directory = mkdtempSync(join(tmpdir(), "tsrepmgr-files-"));
const path = (name: string): string => join(directory, name);

beforeAll(() => {
  writeFileSync(path("text"), "héllo");
  writeFileSync(path("big"), Buffer.alloc(11));
  mkdirSync(path("sub"));
  symlinkSync(path("nowhere"), path("dangling"));
  execFileSync("/usr/bin/mkfifo", [path("pipe")]);
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe("systemFiles", () => {
  it("reads a file", () => {
    const read = systemFiles.readFile(path("text"), 10);
    expect(read.ok ? Buffer.from(read.value).toString() : read.reason).toBe("héllo");
  });

  it.each([
    ["missing", "ENOENT", "No such file or directory"],
    ["dangling", "ENOENT", "No such file or directory"],
    ["text/below", "ENOTDIR", "Not a directory"],
    ["sub", "EISDIR", "Is a directory"],
    ["pipe", "EINVAL", "Not a regular file"],
    ["big", "EFBIG", "File too large (11 bytes)"],
  ])("says why %s cannot be read, without waiting", (name, code, reason) => {
    expect(systemFiles.readFile(path(name), 10)).toEqual({ ok: false, code, reason });
  });

  it("refuses a device that never ends", () => {
    expect(systemFiles.readFile("/dev/zero", 10)).toMatchObject({ ok: false, reason: "Not a regular file" });
  });

  it("lists a directory and tells directories from files", () => {
    const listed = systemFiles.readDirectory(directory);
    const entries = listed.ok ? listed.value : [];
    expect(entries).toContainEqual({ name: "sub", isDirectory: true });
    expect(entries).toContainEqual({ name: "dangling", isDirectory: false });
    expect(systemFiles.readDirectory(path("missing"))).toMatchObject({ ok: false, code: "ENOENT" });
  });

  it("knows what exists", () => {
    expect(["text", "sub", "missing", "dangling"].map((name) => systemFiles.exists(path(name)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
