import { isBuiltin } from "node:module";
import { defineConfig, globalIgnores } from "eslint/config";
import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import { importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

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
const belowCommands = ["model", "decide", ...edges, "context.ts"];

/** Which parts of src/ each part may import besides itself. */
const arrows = {
  model: [],
  decide: ["model"],
  ...Object.fromEntries(edges.map((edge) => [edge, ["model", ...edges]])),
  "context.ts": ["model", ...edges],
  commands: belowCommands,
  daemon: belowCommands,
  cli: [...belowCommands, "commands", "daemon"],
};

const importZones = Object.entries(arrows).map(([part, allowed]) => ({
  target: `./src/${part}`,
  from: "./src",
  except: [...new Set([part, ...allowed])].map((name) => `./${name}`),
  message: `src/${part} may import ${allowed.length > 0 ? allowed.join(", ") : "nothing outside itself"}.`,
}));

/** Modules and globals that touch the world, and the only folders that may use them. */
const guarded = [
  { homes: ["system"], modules: ["fs", "fs/promises"], instead: "src/system/files.ts" },
  { homes: ["system"], modules: ["child_process", "execa"], instead: "Processes of src/system/processes.ts" },
  {
    homes: ["system"],
    modules: ["timers", "timers/promises"],
    globals: ["setTimeout", "setInterval", "setImmediate"],
    instead: "Clock of src/system/clock.ts",
  },
  {
    homes: ["system"],
    properties: [
      ["Date", "now"],
      ["performance", "now"],
      ["process", "hrtime"],
    ],
    syntax: ["NewExpression[callee.name='Date'][arguments.length=0]", "CallExpression[callee.name='Date']"],
    instead: "Clock of src/system/clock.ts",
  },
  { homes: ["postgres"], modules: ["pg"], instead: "Databases of src/postgres/database.ts" },
  { homes: ["remote"], modules: ["ssh2"], instead: "src/remote" },
  { homes: ["output"], modules: ["pino", "cli-progress", "picocolors"], instead: "src/output" },
  { homes: ["cli"], modules: ["commander"], instead: "src/cli" },
  {
    homes: ["output", "cli"],
    globals: ["console"],
    properties: [
      ["process", "stdout"],
      ["process", "stderr"],
    ],
    instead: "Reporter of src/output/reporter.ts",
  },
  { homes: [], properties: [["process", "exit"]], instead: "an exit code returned to bin/" },
];

const commonSyntaxBans = [
  { selector: "ExportDefaultDeclaration", message: "Export by name." },
  { selector: "TSEnumDeclaration", message: "Use a union of string literals." },
];

/** Node's own modules go by two names. */
const spellings = (name) => (isBuiltin(name) ? [name, `node:${name}`] : [name]);

function guardsOf(part) {
  const away = guarded.filter(({ homes }) => !homes.includes(part));
  const everyModule = away.flatMap(({ modules = [], instead }) =>
    modules.flatMap(spellings).map((name) => ({ name, instead })),
  );
  return {
    "no-restricted-imports": [
      "error",
      { paths: everyModule.map(({ name, instead }) => ({ name, message: `Use ${instead}.` })) },
    ],
    "no-restricted-globals": [
      "error",
      ...away.flatMap(({ globals = [], instead }) =>
        globals.map((name) => ({ name, message: `Use ${instead}.` })),
      ),
    ],
    "no-restricted-properties": [
      "error",
      ...away.flatMap(({ properties = [], instead }) =>
        properties.map(([object, property]) => ({ object, property, message: `Use ${instead}.` })),
      ),
    ],
    "no-restricted-syntax": [
      "error",
      ...commonSyntaxBans,
      ...everyModule.map(({ name, instead }) => ({
        selector: `ImportExpression[source.value=${JSON.stringify(name)}]`,
        message: `Use ${instead}.`,
      })),
      ...away.flatMap(({ syntax = [], instead }) =>
        syntax.map((selector) => ({ selector, message: `Use ${instead}.` })),
      ),
    ],
  };
}

const filesOf = (part) => [part.endsWith(".ts") ? `src/${part}` : `src/${part}/**/*.ts`];

const sizes = {
  "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
};

export default defineConfig(
  globalIgnores(["dist", "coverage", "test/fixtures"]),
  { linterOptions: { reportUnusedDisableDirectives: "error", reportUnusedInlineConfigs: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { "import-x": importX },
    languageOptions: { parserOptions: { projectService: true } },
    settings: {
      ...importX.flatConfigs.typescript.settings,
      "import-x/resolver-next": [createTypeScriptImportResolver()],
    },
    rules: {
      ...sizes,
      eqeqeq: "error",
      "no-restricted-syntax": ["error", ...commonSyntaxBans],
      "import-x/no-cycle": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      ...guardsOf("a folder without a guard of its own"),
      "import-x/no-restricted-paths": ["error", { zones: importZones }],
      "@typescript-eslint/max-params": ["error", { max: 3 }],
    },
  },
  Object.keys(arrows).map((part) => ({ files: filesOf(part), rules: guardsOf(part) })),
  {
    files: ["test/**/*.ts"],
    // expect(...) is full of methods as values, expect.any() of any.
    rules: { "@typescript-eslint/no-unsafe-assignment": "off", "@typescript-eslint/unbound-method": "off" },
  },
  {
    files: ["src/**/*.d.ts", "test/harness/*.ts", "vitest.config.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    extends: [tseslint.configs.recommended],
    languageOptions: {
      globals: Object.fromEntries(
        ["process", "console", "URL", "setTimeout", "clearTimeout", "Buffer", "AbortController"].map(
          (name) => [name, "readonly"],
        ),
      ),
    },
    rules: { ...sizes, eqeqeq: "error", "no-undef": "error" },
  },
  {
    files: ["bin/*.js"],
    languageOptions: { sourceType: "commonjs", globals: { require: "readonly", __dirname: "readonly" } },
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
);
