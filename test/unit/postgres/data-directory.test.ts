import { spawn, type ChildProcess } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findDataDirectoriesBelow, readDataDirectoryState } from "../../../src/postgres/data-directory.js";

describe("readDataDirectoryState", () => {
  let parent: string;
  let path: string;
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "data-directory-"));
    path = join(parent, "data");
  });

  afterEach(async () => {
    child?.kill("SIGKILL");
    await rm(parent, { recursive: true });
  });

  /** A process that calls itself like a server and works where a server would. */
  const startProgram = async (name: string, cwd: string): Promise<number> => {
    const program = join(parent, name);
    await copyFile("/bin/sleep", program);
    child = spawn(program, ["60"], { cwd });
    await new Promise((started) => child?.once("spawn", started));
    return child.pid ?? 0;
  };

  it("finds the nearest parent of a path that does not exist", async () => {
    expect(await readDataDirectoryState(join(path, "a", "b"))).toEqual({
      kind: "absent",
      ancestor: parent,
      isAncestorWritable: true,
    });
  });

  it("follows a link, and tells one that leads nowhere", async () => {
    await mkdir(path);
    await symlink(path, join(parent, "link"));
    await symlink("/nowhere", join(parent, "broken"));
    expect(await readDataDirectoryState(join(parent, "link"))).toMatchObject({
      kind: "directory",
      realPath: path,
    });
    expect(await readDataDirectoryState(join(parent, "broken"))).toEqual({ kind: "dangling-link" });
  });

  it("tells a file", async () => {
    await writeFile(path, "");
    expect(await readDataDirectoryState(path)).toEqual({ kind: "not-a-directory" });
    expect(await readDataDirectoryState(join(path, "below"))).toEqual({ kind: "not-a-directory" });
  });

  it.each([
    ["is running in single-user mode or not", "postgres", "data", true],
    ["is that of another data directory", "postgres", "elsewhere", false],
    ["is of another program", "sleeper", "data", false],
  ])("judges a postmaster.pid whose process %s", async (_case, program, place, isRunning) => {
    await mkdir(path);
    await mkdir(join(parent, "elsewhere"));
    const pid = await startProgram(program, join(parent, place));
    for (const text of [`${pid}\n${path}\n`, `-${pid}\n`]) {
      await writeFile(join(path, "postmaster.pid"), text);
      expect(await readDataDirectoryState(path)).toMatchObject({ serverPid: isRunning ? pid : null });
    }
  });

  it.each([
    ["", "unknown"],
    ["rubbish", "unknown"],
    ["99999999\n", null],
  ])("takes a postmaster.pid with %j for %s", async (text, serverPid) => {
    await mkdir(path);
    await writeFile(join(path, "postmaster.pid"), text);
    expect(await readDataDirectoryState(path)).toMatchObject({ serverPid });
  });

  it("does not take a postmaster.pid that cannot be read for none", async () => {
    await mkdir(join(path, "postmaster.pid"), { recursive: true });
    expect(await readDataDirectoryState(path)).toMatchObject({ serverPid: "unknown" });
  });
});

describe("findDataDirectoriesBelow", () => {
  it("finds the clusters in the layout of a distribution, and follows no link", async () => {
    const home = await mkdtemp(join(tmpdir(), "clusters-"));
    const places = ["15/main", "17/main"].map((name) => join(home, name));
    for (const place of places) {
      await mkdir(join(place, "global"), { recursive: true });
      await writeFile(join(place, "PG_VERSION"), "15\n");
    }
    await symlink("/", join(home, "link"));
    await mkdir(join(home, "empty"));
    expect([...(await findDataDirectoriesBelow(home))].sort()).toEqual(places);
    expect(await findDataDirectoriesBelow(join(home, "empty"))).toEqual([]);
    await rm(home, { recursive: true });
  });
});
