import { describe, expect, it } from "vitest";
import { findConfigurationFile } from "../../../src/config/find-conf.js";
import { filesInMemory } from "./files-in-memory.js";

const files = (...paths: readonly string[]) =>
  filesInMemory(Object.fromEntries(paths.map((path) => [path, "x"])));
const search = { explicitFile: null, workingDirectory: "/real/a", shellDirectory: "/real/a" };

describe("findConfigurationFile", () => {
  it.each([
    [["/etc/repmgr.conf", "/real/a/repmgr.conf"], "/real/a/repmgr.conf"],
    [["/usr/local/etc/repmgr.conf", "/etc/repmgr.conf"], "/etc/repmgr.conf"],
    [["/usr/local/etc/repmgr.conf"], "/usr/local/etc/repmgr.conf"],
    [[], null],
  ])("searches %j and takes %j", (paths, found) => {
    expect(findConfigurationFile(search, files(...paths))).toBe(found);
  });

  it.each([
    ["./x.conf", "/real/a/x.conf"],
    ["../b//x.conf", "/real/b/x.conf"],
    ["/etc/./x.conf", "/etc/x.conf"],
  ])("makes -f %s absolute without looking whether it exists", (explicitFile, found) => {
    expect(findConfigurationFile({ ...search, explicitFile }, files("/etc/repmgr.conf"))).toBe(found);
  });

  it.each([
    ["keeps the symbolic links of PWD", "/link/a", "/link/a/x"],
    ["distrusts a PWD of another directory", "/elsewhere", "/real/a/x"],
    ["distrusts a relative PWD", "a", "/real/a/x"],
    ["does without PWD", undefined, "/real/a/x"],
  ])("%s", (_behaviour, shellDirectory, found) => {
    expect(findConfigurationFile({ ...search, shellDirectory, explicitFile: "x" }, files())).toBe(found);
  });
});
