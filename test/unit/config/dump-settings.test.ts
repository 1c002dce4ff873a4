import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dumpSettings } from "../../../src/config/dump-settings.js";
import { loadConfiguration } from "../../../src/config/load-configuration.js";

const fixture = (name: string): string => new URL(`../../fixtures/config/${name}`, import.meta.url).pathname;

function dumpOf(file: string): readonly string[] {
  const environment = { variables: {}, workingDirectory: "/" };
  const { settings, errors } = loadConfiguration({ explicitFile: file, environment });
  expect(errors).toEqual([]);
  return dumpSettings(settings);
}

describe("dumpSettings", () => {
  it("gives repmgr's lines in repmgr's order", () => {
    const reference = readFileSync(fixture("dump-of-repmgr-5.3.3.txt"), "utf8").trimEnd().split("\n");
    const ours = dumpOf(fixture("dumped.conf"));
    expect(ours.filter((line) => reference.includes(line))).toEqual(reference);
  });
});
