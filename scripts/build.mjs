// Bundles src/ with its dependencies into dist/, which runs without node_modules.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";

const checkout = fileURLToPath(new URL("..", import.meta.url));
const outputDirectory = join(checkout, "dist");
const stampFile = join(outputDirectory, ".built-from");

/** Libraries that few commands need: a file for each, so that the others do not load them. */
const rarelyNeeded = ["execa", "pino", "cli-progress"];

const rarelyNeededApart = {
  name: "rarely-needed-apart",
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(${rarelyNeeded.join("|")})$`) }, ({ path, kind }) =>
      kind === "entry-point" ? undefined : { path: `./libraries/${path}.cjs`, external: true },
    );
  },
};

/** What prints a version stays small; the rest is loaded by a file of its own. */
const programApart = {
  name: "program-apart",
  setup(build) {
    build.onResolve({ filter: /\/run-command-line\.js$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./program.cjs", external: true } : undefined,
    );
  },
};

const sqlAsText = {
  name: "sql-as-text",
  setup(build) {
    build.onResolve({ filter: /\.sql\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\?raw$/, "")),
      namespace: "sql-as-text",
    }));
    build.onLoad({ filter: /.*/, namespace: "sql-as-text" }, async ({ path }) => ({
      contents: await readFile(path, "utf8"),
      loader: "text",
      watchFiles: [path],
    }));
  },
};

async function listFiles(directory) {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Everything that decides what the bundle holds, as one hash. */
async function hashInputs() {
  const inputs = [
    ...(await listFiles(join(checkout, "src"))),
    ...["package.json", "package-lock.json", "tsconfig.json", "scripts/build.mjs"].map((name) =>
      join(checkout, name),
    ),
  ].sort();
  const hash = createHash("sha256").update(process.version);
  for (const file of inputs)
    hash
      .update(relative(checkout, file))
      .update("\0")
      .update(await readFile(file));
  return hash.digest("hex");
}

/**
 * CommonJS, because Node's loader of ES modules takes longer than the whole of `cluster show`, and all of src/ in one
 * file, for which V8 can keep a code cache.
 */
async function bundle() {
  const { build } = await import("esbuild");
  const common = {
    absWorkingDir: checkout,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20.19",
    supported: { "dynamic-import": false },
    // What was an ES module is strict.
    banner: { js: '"use strict";' },
    // pg asks whether it runs at Cloudflare's by touching this global, for which Node loads its whole HTTP client.
    define: { Response: "undefined" },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    external: ["pg-native", "cpu-features"],
    plugins: [sqlAsText, rarelyNeededApart],
    logLevel: "warning",
    write: false,
  };
  const [entry, program, libraries] = await Promise.all([
    build({
      ...common,
      entryPoints: ["src/cli/tsrepmgr.ts"],
      outfile: join(outputDirectory, "tsrepmgr.cjs"),
      plugins: [programApart],
    }),
    build({ ...common, entryPoints: ["src/cli/run-command-line.ts"], outfile: "program.cjs" }),
    build({
      ...common,
      entryPoints: rarelyNeeded,
      outdir: join(outputDirectory, "libraries"),
      outExtension: { ".js": ".cjs" },
    }),
  ]);
  return [
    ...libraries.outputFiles.map(({ path, contents }) => ({ path, contents })),
    ...outputProgram(program.outputFiles[0].text),
    ...entry.outputFiles.map(({ path, contents }) => ({ path, contents })),
  ];
}

/**
 * The program, V8's compiled form of it, and the module that loads both. The name holds a hash, so that code and cache
 * always belong together. A V8 other than ours refuses the cache and compiles.
 */
function outputProgram(text) {
  const wrapped = `(function (exports, require, module, __filename, __dirname) {${text}\n})`;
  if (!/^[\0-\x7f]*$/.test(wrapped)) throw new Error("the program is not ASCII, as its loader expects");
  const name = `program-${createHash("sha256").update(wrapped).digest("hex").slice(0, 12)}`;
  return [
    { path: join(outputDirectory, `${name}.js-text`), contents: wrapped },
    { path: join(outputDirectory, `${name}.v8-cache`), contents: compile(wrapped) },
    { path: join(outputDirectory, "program.cjs"), contents: renderLoader(name) },
  ];
}

/** What stack traces call the program: a code cache remembers the name. */
const PROGRAM_NAME = "tsrepmgr/program.js";

/** Every function, not only those that run at load time. */
function compile(source) {
  setFlagsFromString("--no-lazy");
  const script = new Script(source, { filename: PROGRAM_NAME });
  // The cache is valid only for the flags that are set when it is made.
  setFlagsFromString("--lazy");
  return script.createCachedData();
}

const renderLoader = (name) => `"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { Script } = require("node:vm");

const filename = join(__dirname, "${name}.js-text");
let cachedData;
try {
  cachedData = readFileSync(join(__dirname, "${name}.v8-cache"));
} catch {
  // It is compiled then.
}
const script = new Script(readFileSync(filename, "latin1"), { filename: "${PROGRAM_NAME}", cachedData });
script.runInThisContext()(exports, require, module, filename, __dirname);
`;

/** Replaces files one by one, the entry last, so that a program started meanwhile finds each of them whole. */
async function writeOutputs(outputFiles) {
  for (const { path, contents } of outputFiles) {
    await mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}`;
    await writeFile(temporary, contents);
    await rename(temporary, path);
  }
  const written = new Set(outputFiles.map(({ path }) => path));
  for (const file of await listFiles(outputDirectory))
    if (!written.has(file)) await rm(file, { force: true });
}

const hash = await hashInputs();
const builtFrom = await readFile(stampFile, "utf8").catch(() => "");
if (builtFrom === hash && process.argv.includes("--if-changed")) process.exit(0);
const outputFiles = await bundle().catch((error) => {
  if (error.errors === undefined) throw error;
  process.exit(1); // esbuild has said why
});
await writeOutputs(outputFiles);
await writeFile(stampFile, hash);
const kilobytes = Math.round(outputFiles.reduce((sum, { contents }) => sum + contents.length, 0) / 1024);
console.log(`built dist/: ${outputFiles.length} files, ${kilobytes} kB`);
