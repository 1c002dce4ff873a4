import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { lintExamples } from "./lint-examples.js";

const edges = [
  "errors",
  "system",
  "config",
  "postgres",
  "clone-sources",
  "metadata",
  "coordination",
  "events",
  "remote",
  "pgbouncer",
  "output",
];
const flows = ["commands", "daemon"];
const parts = ["model", "decide", ...edges, ...flows, "cli"];

type Arrow = readonly [from: string, to: string];
const across = (from: readonly string[], to: readonly string[]): Arrow[] =>
  from.flatMap((source) => to.map((target): Arrow => [source, target]));

const forbiddenArrows = [
  ...across(["model"], ["decide", ...edges, "context", ...flows, "cli"]),
  ...across(["decide"], [...edges, "context", ...flows, "cli"]),
  ...across(edges, ["decide", "context", ...flows, "cli"]),
  ...across(["context"], ["decide", ...flows, "cli"]),
  ...across(flows, ["cli"]),
  ...across(["commands"], ["daemon"]),
  ...across(["daemon"], ["commands"]),
];
const allowedArrows = [
  ...across(["decide", "context", ...edges, ...flows, "cli"], ["model"]),
  ...across(["errors", "metadata", "output"], ["errors", "postgres", "system"]),
  ...across([...flows, "cli"], ["decide", ...edges, "context"]),
  ...across(["cli"], flows),
];

const fileOf = (part: string): string => (part === "context" ? "src/context.ts" : `src/${part}/target.ts`);
const arrowFile = ([from, to]: Arrow): string => `src/${from}/imports-${to}.ts`;
const importPath = (to: string): string => (to === "context" ? "../context.js" : `../${to}/target.js`);
/** `context.ts` stands alone in src/, so its arrows are tried from that very file. */
const isFromContext = ([from]: Arrow): boolean => from === "context";

interface Guard {
  readonly what: string;
  readonly code: string;
  readonly rule: string;
  /** The folders that may do it. */
  readonly homes: readonly string[];
}

const guards: readonly Guard[] = [
  ...[
    ["node:fs", "system"],
    ["fs", "system"],
    ["node:fs/promises", "system"],
    ["node:child_process", "system"],
    ["execa", "system"],
    ["node:timers/promises", "system"],
    ["pg", "postgres"],
    ["pino", "output"],
    ["cli-progress", "output"],
    ["picocolors", "output"],
    ["commander", "cli"],
  ].flatMap(([name = "", home = ""]): Guard[] => [
    { what: name, code: `export * as used from "${name}";\n`, rule: "no-restricted-imports", homes: [home] },
    {
      what: `${name} lazily`,
      code: `export const used = async (): Promise<unknown> => import("${name}");\n`,
      rule: "no-restricted-syntax",
      homes: [home],
    },
  ]),
  ...["setTimeout", "setInterval", "setImmediate"].map((name) => ({
    what: name,
    code: `export const used = ${name};\n`,
    rule: "no-restricted-globals",
    homes: ["system"],
  })),
  {
    what: "Date.now",
    code: "export const used = Date.now();\n",
    rule: "no-restricted-properties",
    homes: ["system"],
  },
  {
    what: "new Date",
    code: "export const used = new Date();\n",
    rule: "no-restricted-syntax",
    homes: ["system"],
  },
  {
    what: "performance.now",
    code: "export const used = performance.now();\n",
    rule: "no-restricted-properties",
    homes: ["system"],
  },
  {
    what: "console",
    code: 'export const used = (): void => console.log("x");\n',
    rule: "no-restricted-globals",
    homes: ["output", "cli"],
  },
  {
    what: "process.stdout",
    code: "export const used = process.stdout;\n",
    rule: "no-restricted-properties",
    homes: ["output", "cli"],
  },
  {
    what: "process.exit",
    code: "export const used = (): never => process.exit(1);\n",
    rule: "no-restricted-properties",
    homes: [],
  },
];
const guardFile = (part: string, index: number): string => `src/${part}/guard-${index}.ts`;

const styleExamples: Readonly<Record<string, string>> = {
  "@typescript-eslint/no-explicit-any": "export type Anything = any;\n",
  "@typescript-eslint/no-non-null-assertion": "export const sure = (x: string | null): string => x!;\n",
  "@typescript-eslint/no-floating-promises": "export function start(p: Promise<void>): void {\n  p;\n}\n",
  "@typescript-eslint/no-misused-promises":
    "export function each(list: readonly string[], f: () => Promise<void>): void {\n  list.forEach(f);\n}\n",
  "@typescript-eslint/switch-exhaustiveness-check":
    'export function judge(x: "a" | "b"): void {\n  switch (x) {\n    case "a":\n      return;\n  }\n}\n',
  "@typescript-eslint/consistent-type-imports":
    'import { Lsn } from "./lsn.js";\nexport const same = (lsn: Lsn): Lsn => lsn;\n',
  "@typescript-eslint/max-params":
    "export const sum = (a: number, b: number, c: number, d: number): number => a + b + c + d;\n",
  "@typescript-eslint/no-unused-vars": "function forgotten(): void {}\nexport const used = 1;\n",
  "no-restricted-syntax": "const value = 1;\nexport default value;\n",
  eqeqeq: "export const isSame = (a: unknown, b: unknown): boolean => a == b;\n",
  "max-lines": "export const lines = [\n" + "  1,\n".repeat(400) + "];\n",
  "import-x/no-cycle": 'import { b } from "./cycle.js";\nexport const a = (): number => b;\n',
};
const styleFile = (rule: string): string => `src/model/style-${rule.replace(/.*\//, "")}.ts`;

describe("the rules of the house", () => {
  let brokenRules: (path: string) => readonly string[];
  beforeAll(() => {
    const fromContext = [...forbiddenArrows, ...allowedArrows].filter(isFromContext);
    brokenRules = lintExamples({
      ...Object.fromEntries(parts.map((part) => [fileOf(part), "export const target = 1;\n"])),
      "src/context.ts":
        fromContext.map(([, to]) => `export { target as ${to} } from "./${to}/target.js";\n`).join("") +
        "export const target = 1;\n",
      ...Object.fromEntries(
        [...forbiddenArrows, ...allowedArrows]
          .filter((arrow) => !isFromContext(arrow))
          .map((arrow) => [arrowFile(arrow), `export { target as used } from "${importPath(arrow[1])}";\n`]),
      ),
      ...Object.fromEntries(
        guards.flatMap(({ code }, index) => parts.map((part) => [guardFile(part, index), code])),
      ),
      ...Object.fromEntries(Object.entries(styleExamples).map(([rule, code]) => [styleFile(rule), code])),
      "src/model/lsn.ts": "export type Lsn = bigint;\n",
      "src/model/cycle.ts": 'export { a } from "./style-no-cycle.js";\nexport const b = 1;\n',
      "src/model/enum.ts": "export enum Colour {\n  red,\n}\n",
    });
  }, 120_000);

  it.each(forbiddenArrows.filter((arrow) => !isFromContext(arrow)))(
    "keep %s from importing %s",
    (from, to) => {
      expect(brokenRules(arrowFile([from, to]))).toContain("import-x/no-restricted-paths");
    },
  );

  it.each(allowedArrows.filter((arrow) => !isFromContext(arrow)))("let %s import %s", (from, to) => {
    expect(brokenRules(arrowFile([from, to]))).toEqual([]);
  });

  it("keep context.ts from importing what lies to its right", () => {
    const refused = brokenRules("src/context.ts").filter((rule) => rule === "import-x/no-restricted-paths");
    expect(refused).toHaveLength(forbiddenArrows.filter(isFromContext).length);
  });

  it.each(guards.map((guard, index) => ({ ...guard, index })))(
    "keep $what in $homes",
    ({ rule, homes, index }) => {
      for (const part of parts) {
        const broken = brokenRules(guardFile(part, index));
        if (homes.includes(part)) expect(broken, part).not.toContain(rule);
        else expect(broken, part).toContain(rule);
      }
    },
  );

  it.each(Object.keys(styleExamples))("refuse what %s is about", (rule) => {
    expect(brokenRules(styleFile(rule))).toContain(rule);
  });

  it("refuse an enum", () => {
    expect(brokenRules("src/model/enum.ts")).toContain("no-restricted-syntax");
  });

  it("have an arrow for every folder of src/", () => {
    const source = join(import.meta.dirname, "../../../src");
    const names = readdirSync(source).filter((name) => !name.endsWith(".d.ts"));
    expect(names.filter((name) => name !== "context.ts" && !parts.includes(name))).toEqual([]);
  });
});
