import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgramDirectory } from "../../../src/postgres/program-directory.js";
import { findPostgresVersions } from "../../harness/postgres-versions.js";

describe("findProgramDirectory", () => {
  let root = "";
  let dataDirectory = "";
  const [installed] = findPostgresVersions();
  const packaged = installed === undefined ? "" : `/usr/lib/postgresql/${String(installed.major)}/bin`;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "tsrepmgr-programs-"));
    dataDirectory = join(root, "data");
    for (const name of ["data", "empty", "programs"]) await mkdir(join(root, name));
    await writeFile(join(root, "programs/pg_controldata"), "");
    await writeFile(join(dataDirectory, "PG_VERSION"), `${String(installed?.major ?? 1)}\n`);
  });

  afterAll(() => rm(root, { recursive: true }));

  it("is what repmgr.conf says", async () => {
    const search = { configured: "/nonexistent/bin/", dataDirectory, searchPath: join(root, "programs") };
    expect(await findProgramDirectory(search)).toBe("/nonexistent/bin");
  });

  it("is left to the PATH when that has the programs", async () => {
    const searchPath = [join(root, "empty"), join(root, "programs")].join(":");
    expect(await findProgramDirectory({ configured: "", dataDirectory, searchPath })).toBe("");
  });

  it("is left to the PATH when there is no data directory to go by", async () => {
    const search = { configured: "", dataDirectory: join(root, "empty"), searchPath: join(root, "empty") };
    expect(await findProgramDirectory(search)).toBe("");
  });

  it.skipIf(!existsSync(packaged))("is that of the data directory's version as packaged", async () => {
    const search = { configured: "", dataDirectory, searchPath: join(root, "empty") };
    expect(await findProgramDirectory(search)).toBe(packaged);
  });
});
