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
    expect(unused).toEqual([]);
  });
});

describe("checkOptions", () => {
  const verdict = (command: string, ...argv: string[]): ReturnType<typeof checkOptions> =>
    checkOptions(named(command), parseArguments(argv));

  it.each<[string, string[], string[]]>([
    [
      "cluster show",
      ["--upstream-node-id=2", "--dry-run"],
      [
        "--upstream-node-id is not effective when executing CLUSTER SHOW",
        "--dry-run is not effective when executing CLUSTER SHOW",
      ],
    ],
    ["primary register", ["--wait"], ["--wait is not effective when executing PRIMARY REGISTER"]],
    ["cluster show", ["-v", "-q", "-F", "-b", "/bin", "--nagios", "--slots", "-k", "3"], []],
    [
      "cluster show",
      ["-C", "/x"],
      ["--remote-config-file is no longer required; the node records hold the path"],
    ],
    [
      "primary register",
      ["--check-upstream-config"],
      ["--check-upstream-config is deprecated; use --dry-run instead"],
    ],
    [
      "primary register",
      ["--repmgrd-no-pause", "--repmgrd-force-unpause"],
      [
        "--repmgrd-no-pause is not effective when executing PRIMARY REGISTER",
        "--repmgrd-force-unpause is not effective when executing PRIMARY REGISTER",
      ],
    ],
  ])("lets %s %j run, with these warnings", (command, argv, warnings) => {
    expect(verdict(command, ...argv)).toMatchObject({ errors: [], warnings });
  });

  it.each<[string, string[], string]>([
    ["primary register", ["--node-id=2"], "--node-id is not effective when executing PRIMARY REGISTER"],
    ["standby register", ["--node-name=x"], "--node-name is not effective when executing STANDBY REGISTER"],
    [
      "standby unregister",
      ["--node-id=2", "--node-name=x"],
      "only one of --node-id, --node-name can be used",
    ],
    ["cluster show", ["--csv", "--nagios"], "only one of --csv, --nagios can be used"],
    ["cluster show", ["-w", "-W"], "only one of --wait, --no-wait can be used"],
    ["cluster show", ["--tree", "--csv"], "--tree is a drawing: only text output can show it"],
    ["cluster show", ["--format=json", "--tree"], "--tree is a drawing: only text output can show it"],
    [
      "primary register",
      ["--recovery-min-apply-delay=soon"],
      '--recovery-min-apply-delay: "soon" is not a number with a unit of ms, s, min, h or d',
    ],
  ])("refuses %s %j", (command, argv, error) => {
    expect(verdict(command, ...argv).errors).toEqual([error]);
  });

  it.each<[string[], string, object]>([
    [["--all", "--limit=3"], "--limit provided, ignoring --all", { all: false, limit: 3 }],
    [
      ["--node-id=1", "--node-name=x"],
      "--node-id provided, ignoring --node-name",
      { "node-id": 1, "node-name": undefined },
    ],
  ])("drops one of cluster event %j", (argv, warning, options) => {
    expect(verdict("cluster event", ...argv)).toMatchObject({ errors: [], warnings: [warning], options });
  });

  it("refuses two output formats", () => {
    expect(verdict("cluster show", "--csv", "--format=json").errors).toEqual([
      "only one of --csv, --format can be used",
    ]);
  });
});
