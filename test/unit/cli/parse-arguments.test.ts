import { describe, expect, it } from "vitest";
import { parseArguments } from "../../../src/cli/parse-arguments.js";

describe("parseArguments", () => {
  it("gives every option its type", () => {
    const { options } = parseArguments([
      "-F",
      "--limit=3",
      "--event",
      "standby_clone",
      "--wait-sync",
      "--wait=9",
    ]);
    expect(options).toMatchObject({
      force: true,
      limit: 3,
      event: "standby_clone",
      "wait-sync": true,
      wait: 9,
      "dry-run": false,
    });
    expect(options.host).toBeUndefined();
  });

  it("keeps --no-wait apart from --wait", () => {
    expect(parseArguments(["--no-wait"]).options).toMatchObject({ "no-wait": true });
    expect(parseArguments(["--no-wait"]).options.wait).toBeUndefined();
  });

  it.each([
    ["--limit=0", 'value of --limit must be an integer of at least 1 (provided: "0")'],
    ["--port=five", 'value of --port must be an integer of at least 1 (provided: "five")'],
    ["--port=99999999999", 'value of --port must be an integer of at least 1 (provided: "99999999999")'],
    ["--wait-start=-1", 'value of --wait-start must be an integer of at least 0 (provided: "-1")'],
    ["--format=yaml", 'value of --format must be one of "text", "csv", "json" (provided: "yaml")'],
    [`--node-name=${"ä".repeat(32)}`, "value of --node-name must not be longer than 63 bytes"],
    ["--watch=0", 'value of --watch must be an integer of at least 1 (provided: "0")'],
    ["--dbname=host=a bogus", "error parsing conninfo for -d/--dbname"],
  ])("refuses %s", (argument, message) => {
    expect(parseArguments([argument]).errors.join("\n")).toContain(message);
  });

  it("collects all bad values at once", () => {
    expect(parseArguments(["--limit=0", "--port=0", "--format=x"]).errors).toHaveLength(3);
  });

  it.each([
    [["-h", "n1", "-U", "repmgr", "-d", "db"], "host=n1 user=repmgr dbname=db"],
    [["-U", "repmgr", "-h", "n1"], "user=repmgr host=n1"],
    [["-d", "host=n2 dbname=other", "-h", "n1", "-U", "me"], "host=n2 user=me dbname=other"],
    [["-d", "postgresql://me@n3:5433/db"], "user=me host=n3 port=5433 dbname=db"],
    [[], ""],
  ])("builds the connection from %j", (argv, expected) => {
    const { connection } = parseArguments(argv);
    expect([...connection].map(([keyword, value]) => `${keyword}=${value}`).sort()).toEqual(
      expected
        .split(" ")
        .filter((pair) => pair !== "")
        .sort(),
    );
  });
});
