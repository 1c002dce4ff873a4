import { describe, expect, it } from "vitest";
import { normaliseArguments } from "../../../src/cli/normalise-arguments.js";

const read = (...argv: string[]): string => {
  const { options, words, unknown } = normaliseArguments(argv);
  const shown = options.map(({ name, value }) => (value === null ? name : `${name}=${value}`));
  return [...shown, ...words.map((word) => `[${word}]`), ...unknown.map(({ message }) => `!${message}`)].join(
    " ",
  );
};

describe("normaliseArguments", () => {
  it.each([
    [
      "options before, between and after the words",
      ["-F", "standby", "-v", "clone", "-c"],
      "force verbose fast-checkpoint [standby] [clone]",
    ],
    [
      "a value in the next word or attached",
      ["-h", "n1", "-Urepmgr", "--port=5433", "--dbname", "db"],
      "host=n1 username=repmgr port=5433 dbname=db",
    ],
    [
      "combined short options, the last with a value",
      ["-Fvf", "/etc/r.conf"],
      "force verbose config-file=/etc/r.conf",
    ],
    ["-h is the host and -? is help", ["-?", "-hlocal"], "help host=local"],
    ["a unique prefix of a long option", ["--dry", "--upstream-n=3"], "dry-run upstream-node-id=3"],
    ["an exact name that is a prefix of others", ["--wait", "--version"], "wait version"],
    [
      "an ambiguous prefix",
      ["--up"],
      "!option '--up' is ambiguous; possibilities: '--upstream-conninfo' '--upstream-node-id' '--upstream'",
    ],
    ["an optional value only after =", ["--wait-sync", "5", "--wait-sync=6"], "wait-sync wait-sync=6 [5]"],
    ["-w takes no value", ["-w", "5"], "wait [5]"],
    ["an older spelling", ["--recovery-conf-only"], "replication-conf-only"],
    ["--no-wait is an option of its own", ["--no-wait"], "no-wait"],
    ["everything after -- is a word", ["cluster", "--", "-h", "--x"], "[cluster] [-h] [--x]"],
    ["an unknown long option", ["--frobnicate=3"], "!unrecognized option '--frobnicate=3'"],
    ["an unknown short option", ["-Z"], "!invalid option -- 'Z'"],
    ["a missing value", ["--host"], "!option '--host' requires an argument"],
    ["a missing value of a short option", ["-f"], "!option requires an argument -- 'f'"],
    ["a value where none is allowed", ["--csv=1"], "!option '--csv' doesn't allow an argument"],
    ["a value that looks like an option", ["--node-name", "--force"], "node-name=--force"],
    ["an abbreviation that only options added to repmgr's make ambiguous", ["--t", "--tr"], "terse tree"],
    ["nothing behind a version option", ["-F", "--version", "--frobnicate", "--csv"], "force version"],
    ["an empty value", ["--location", "--host="], "!unrecognized option '--location' host="],
  ])("reads %s", (_case, argv, expected) => {
    expect(
      read(...argv)
        .split(" ")
        .sort(),
    ).toEqual(expected.split(" ").sort());
  });
});
