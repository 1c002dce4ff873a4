import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findLeaks } from "../../harness/find-leaks.js";

describe("findLeaks", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "find-leaks-"));
  });
  afterEach(() => rm(root, { recursive: true }));

  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  };

  it.each([
    ["a program output", "evidence/program-1/output", "password=S3cr#t;x y"],
    ["the process list", "evidence/process-list", "psql postgresql://repmgr:S3cr%23t%3Bx%20y@n1/repmgr"],
    ["a server log", "directories/n1/server.log", "LOG:  statement: ALTER ROLE x PASSWORD 'S3cr#t;x y'"],
    ["a password cut off at its blank", "evidence/program-2/output", "password='S3cr#t"],
  ])("finds the password in %s", async (_what, file, text) => {
    await write(file, `first line\n${text}\nlast line\n`);
    expect(await findLeaks(root)).toEqual([`${join(root, file)}: ${text}`]);
  });

  it("does not complain about the files that have to hold it", async () => {
    await write("passfile", "*:*:*:*:S3cr#t;x y\n");
    await write("evidence/program-1/output", "password=*****\n");
    expect(await findLeaks(root)).toEqual([]);
  });
});
