import { describe, expect, it } from "vitest";
import { parseArguments } from "../../../src/cli/parse-arguments.js";
import { checkOptions } from "../../../src/cli/check-options.js";
import { renderCommandsHelp } from "../../../src/cli/help.js";
import { loadCommands, nouns } from "../../../src/commands/index.js";
import type { Command } from "../../../src/commands/define-command.js";
import { optionTable, type OptionName } from "../../../src/commands/option-table.js";

const commands: readonly Command[] = (await Promise.all(nouns.map(loadCommands))).flat();
const named = (name: string): Command => {
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) throw new Error(`no command "${name}"`);
  return command;
};

describe("the declarations of the commands", () => {
  it.each(commands.filter(({ effect }) => effect === "changes").map(({ name }) => name))(
    "%s has --dry-run because it changes something",
    (name) => {
      expect(named(name).options["dry-run"]).toEqual(expect.any(String));
    },
  );

  it("explain every option that a command honours", () => {
    for (const { name, options } of commands) {
      const help = renderCommandsHelp("tsrepmgr", [named(name)]);
      for (const option of Object.keys(options)) expect(help, name).toContain(`--${option}`);
    }
  });

  it("use every option of the table that is not global", () => {
    const used = new Set(commands.flatMap(({ options }) => Object.keys(options)));
    const unused = (Object.keys(optionTable) as OptionName[]).filter(
      (name) => optionTable[name].global !== true && !used.has(name),
    );
    // Options of commands that are still to come; they are understood already, as an option that does not fit.
    expect(unused.sort()).toEqual(
      ["detail", "nagios", "no-wait", "optformat", "remote-node-id", "wait"].sort(),
    );
  });
});

describe("checkOptions", () => {
  const verdict = (command: string, ...argv: string[]): ReturnType<typeof checkOptions> =>
    checkOptions(named(command), parseArguments(argv));

  it("warns about an option that is not effective on a reading command", () => {
    expect(verdict("cluster show", "--upstream-node-id=2", "--dry-run")).toEqual({
      errors: [],
      warnings: [
        "--upstream-node-id is not effective when executing CLUSTER SHOW",
        "--dry-run is not effective when executing CLUSTER SHOW",
      ],
    });
  });

  it("refuses an option that would change what a changing command does", () => {
    expect(verdict("primary register", "--node-id=2").errors).toEqual([
      "--node-id is not effective when executing PRIMARY REGISTER",
    ]);
  });

  it("accepts global options and what the reference accepts silently", () => {
    expect(verdict("cluster show", "-v", "-q", "-F", "-b", "/bin")).toEqual({ errors: [], warnings: [] });
  });

  it("refuses two output formats", () => {
    expect(verdict("cluster show", "--csv", "--format=json").errors).toEqual([
      "only one of --csv, --format can be used",
    ]);
  });
});
