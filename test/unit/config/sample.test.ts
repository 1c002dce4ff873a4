import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readConfLine } from "../../../src/config/conf-lexer.js";
import { completeSettings } from "../../../src/config/default-settings.js";
import { loadConfiguration } from "../../../src/config/load-configuration.js";
import { settingNames, settingsTable } from "../../../src/config/settings-table.js";
import { filesInMemory } from "./files-in-memory.js";

const sample = readFileSync(new URL("../../../repmgr.conf.sample", import.meta.url), "utf8");
const settingLines = sample.split("\n").filter((line) => /^#\w+=/.test(line));
const uncommented = settingLines.map((line) => line.slice(1));

describe("repmgr.conf.sample", () => {
  it("holds every setting once, commented out", () => {
    const names = uncommented.map((line) => {
      const read = readConfLine(line);
      return read.kind === "setting" ? read.name : line;
    });
    expect(names.toSorted()).toEqual(settingNames.toSorted());
    expect(sample.split("\n").filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
  });

  it("shows the default of every setting that has one", () => {
    const { settings, errors, warnings } = loadConfiguration({
      explicitFile: "/x",
      environment: { variables: {}, workingDirectory: "/" },
      files: filesInMemory({ "/x": uncommented.join("\n") }),
    });
    expect({ errors, warnings }).toEqual({ errors: [], warnings: [] });
    const defaults = completeSettings(new Map());
    for (const name of settingNames.filter((name) => settingsTable[name].required !== true)) {
      expect({ [name]: settings[name] }).toEqual({ [name]: defaults[name] });
    }
  });

  it("fits a terminal", () => {
    expect(sample.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });
});
