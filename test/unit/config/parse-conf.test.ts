import { describe, expect, it } from "vitest";
import { parseConf } from "../../../src/config/parse-conf.js";
import { filesInMemory } from "./files-in-memory.js";

type Contents = Parameters<typeof filesInMemory>[0];

/** What was found, one line each: `file:line name=value`, `… near token` or `… ! problem`. */
function parse(text: string, others: Contents = {}): readonly string[] {
  const entries = parseConf(text, "/etc/repmgr.conf", filesInMemory(others));
  return entries.map((entry) => {
    const place = `${entry.file.replace("/etc/", "")}:${entry.line}`;
    if (entry.kind === "setting") return `${place} ${entry.name}=${entry.value}`;
    return entry.kind === "problem" ? `${place} ! ${entry.message}` : `${place} near ${entry.near ?? "end"}`;
  });
}

describe("parseConf", () => {
  it("goes on at the next line after a syntax error and keeps duplicates", () => {
    expect(parse("a=1\nb=/x\na=2")).toEqual([
      "repmgr.conf:1 a=1",
      "repmgr.conf:2 near /",
      "repmgr.conf:3 a=2",
    ]);
  });

  it("gives a file up after 100 syntax errors", () => {
    const found = parse("==\n".repeat(150));
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toBe("repmgr.conf:100 ! too many syntax errors, the rest of the file was not read");
  });

  it("reads an included file in its place, relative to the one that includes it", () => {
    const others = { "/etc/sub/b.conf": "b=2\ninclude 'c.conf'", "/etc/sub/c.conf": "c=3" };
    expect(parse("a=1\ninclude = 'sub/b.conf'\nd=4", others)).toEqual([
      "repmgr.conf:1 a=1",
      "sub/b.conf:1 b=2",
      "sub/c.conf:1 c=3",
      "repmgr.conf:3 d=4",
    ]);
  });

  it("ignores case in the include keywords only", () => {
    expect(parse("INCLUDE_IF_EXISTS 'b'\nNODE=1", { "/etc/b": "b=2" })).toEqual([
      "b:1 b=2",
      "repmgr.conf:2 NODE=1",
    ]);
  });

  it("reads the .conf files of a directory in byte order", () => {
    const others = {
      "/etc/d/b.conf": "x=b",
      "/etc/d/B.conf": "x=B",
      "/etc/d/.hidden.conf": "x=hidden",
      "/etc/d/.conf": "x=nameless",
      "/etc/d/a.conf.bak": "x=bak",
      "/etc/d/sub.conf/a.conf": "x=sub",
      "/etc/d/é.conf": "x=é",
    };
    expect(parse("include_dir 'd'", others)).toEqual(["d/B.conf:1 x=B", "d/b.conf:1 x=b", "d/é.conf:1 x=é"]);
  });

  it("lets an include_if_exists be missing, but not unreadable", () => {
    const denied = { ok: false, code: "EACCES", reason: "Permission denied" } as const;
    expect(parse("include_if_exists 'x'\ninclude_if_exists 'y'", { "/etc/y": denied })).toEqual([
      'repmgr.conf:2 ! could not open configuration file "/etc/y": Permission denied',
    ]);
  });

  it.each([
    ["include 'x'", 'could not open configuration file "/etc/x": No such file or directory'],
    ["include_dir 'x'", 'could not open configuration directory "/etc/x": No such file or directory'],
    ["include ''", 'empty configuration file name: ""'],
    ["include_dir ''", 'empty configuration directory name: ""'],
    ["include 'repmgr.conf'", 'configuration file recursion in "/etc/repmgr.conf"'],
    ["include 'loop'", 'configuration file recursion in "/etc/loop"'],
    ["include 'nul'", 'could not open configuration file "/etc/nul": Not a text file (NUL byte in line 2)'],
  ])("says what is wrong with %s", (line, message) => {
    const others = { "/etc/loop": "include 'loop'", "/etc/nul": `a=1\nlocation='${"x".repeat(50)}\0'` };
    expect(parse(line, others)[0]?.replace(/^\S+ ! /, "")).toBe(message);
  });

  it("follows includes ten deep and no further", () => {
    const names = Array.from({ length: 12 }, (_, index) => `l${index}`);
    const others = Object.fromEntries(
      names.map((name, index) => [`/etc/${name}`, `include 'l${index + 1}'`]),
    );
    expect(parse("include 'l0'", { ...others, "/etc/l9": "deep=1" })).toEqual(["l9:1 deep=1"]);
    expect(parse("include 'l0'", others)).toEqual([
      'l9:1 ! could not open configuration file "/etc/l10": maximum nesting depth exceeded',
    ]);
  });

  it("stops reading when directories include each other without end", () => {
    const bomb = Object.fromEntries(
      Array.from({ length: 9 }, (_, depth) => [`/etc/${depth}`, `include '${depth + 1}'\n`.repeat(100)]),
    );
    const found = parse("include '0'", { ...bomb, "/etc/9": "a=1" });
    expect(found.some((line) => line.includes("more than 1000 configuration files"))).toBe(true);
    expect(found.length).toBeLessThan(5000);
  });
});
