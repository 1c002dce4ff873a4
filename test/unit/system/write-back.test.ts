import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { flushFile, watchGrowingFiles } from "../../../src/system/write-back.js";

const LARGE = "x".repeat(1024 * 1024);
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "write-back-"));
});

afterEach(() => rm(directory, { recursive: true }));

describe("watchGrowingFiles", () => {
  it("answers a large file when it has come, and again when it has grown", async () => {
    const look = watchGrowingFiles([directory]);
    expect(await look()).toEqual([]);
    const path = join(directory, "base", "1");
    await mkdir(join(directory, "base"));
    await writeFile(path, LARGE);
    expect(await look()).toEqual([path]);
    await appendFile(path, "more");
    expect(await look()).toEqual([path]);
    expect(await look()).toEqual([]);
  });

  it("leaves small files out until they are large, and those that have gone", async () => {
    const look = watchGrowingFiles([directory, join(directory, "absent")]);
    const [small, gone] = [join(directory, "small"), join(directory, "gone")];
    await writeFile(small, "x");
    await writeFile(gone, LARGE);
    expect(await look()).toEqual([gone]);
    await rm(gone);
    await appendFile(small, LARGE);
    expect(await look()).toEqual([small]);
  });
});

describe("flushFile", () => {
  it("passes over a file that has gone", async () => {
    await flushFile(join(directory, "gone"));
  });
});
