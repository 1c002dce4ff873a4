// Bundles src/ with its dependencies into dist/, which runs without node_modules.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";

const checkout = fileURLToPath(new URL("..", import.meta.url));
const outputDirectory = join(checkout, "dist");
const stampFile = join(outputDirectory, ".built-from");

const entryPoints = { tsrepmgr: "src/cli/tsrepmgr.ts", tsrepmgrd: "src/cli/tsrepmgrd.ts" };
const loginCryptography = "src/postgres/login-cryptography.ts";
const entrySources = Object.fromEntries(Object.entries(entryPoints).map(([name, source]) => [source, name]));

/** Modules of Node that take a millisecond each to load: only when something of them is used. */
const slowBuiltins = ["fs/promises", "child_process", "crypto", "dns", "tty"];

const slowBuiltinsLater = {
  name: "slow-builtins-later",
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(node:)?(${slowBuiltins.join("|")})$`) }, ({ path, namespace }) =>
      namespace === "later"
        ? { path, external: true }
        : { path: path.replace("node:", ""), namespace: "later" },
    );
    build.onLoad({ filter: /.*/, namespace: "later" }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) => name !== "default");
      const properties = names.map((name) => `get ${name}() { return require("node:${path}").${name}; }`);
      return { contents: `module.exports = { ${properties.join(", ")} };` };
    });
  },
};

/** The part of pg that only some ways to log in need is loaded by these; what it computes, a module of ours does. */
const pgCryptographyLater = {
  name: "pg-cryptography-later",
  setup(build) {
    build.onResolve({ filter: /^\.\/(crypto\/)?utils$/ }, ({ path, importer }) =>
      importer.endsWith(path === "./utils" ? "/pg/lib/crypto/sasl.js" : "/pg/lib/client.js")
        ? { path: join(checkout, loginCryptography) }
        : undefined,
    );
    build.onResolve({ filter: /^\.\/crypto\/sasl$/ }, async ({ path, importer, resolveDir, kind }) => {
      if (!importer.endsWith("/pg/lib/client.js")) return undefined;
      const resolved = await build.resolve(`${path}.js`, { resolveDir, kind });
      return { path: resolved.path, namespace: "pg-later" };
    });
    build.onLoad({ filter: /.*/, namespace: "pg-later" }, async ({ path }) => {
      const properties = Object.entries((await import(path)).default).map(([name, value]) =>
        typeof value === "function"
          ? `get ${name}() { return require(${JSON.stringify(path)}).${name}; }`
          : `${name}: ${JSON.stringify(value)}`,
      );
      return { contents: `module.exports = { ${properties.join(", ")} };`, resolveDir: dirname(path) };
    });
  },
};

/** ssh2 as far as we use it: no server, files, keys or HTTP, and no native parts to look for. */
const ssh2ClientOnly = {
  name: "ssh2-client-only",
  setup(build) {
    build.onLoad({ filter: /\/ssh2\/lib\/(server|keygen|http-agents|protocol\/SFTP)\.js$/ }, () => ({
      contents: "module.exports = {};",
    }));
    build.onResolve({ filter: /^cpu-features$|\/sshcrypto\.node$/ }, ({ path }) => ({
      path,
      namespace: "not-there",
    }));
    build.onLoad({ filter: /.*/, namespace: "not-there" }, ({ path }) => ({
      contents: `throw new Error("${path} is not used");`,
    }));
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
 * Chunks, so that a command loads only what it uses; in CommonJS, because Node's loader of ES modules alone takes as
 * long as all the rest of `cluster show`; in packs of what is loaded together, because thirty small files take longer
 * than two; and each pack beside V8's code cache of it.
 */
async function bundle() {
  const { build, transform } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    absWorkingDir: checkout,
    entryPoints,
    outdir: join(outputDirectory, "packs"),
    chunkNames: "[name]-[hash]",
    entryNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    // pg asks whether it runs at Cloudflare's by touching this global, for which Node loads its whole HTTP client.
    define: { Response: "undefined" },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    external: ["pg-native"],
    plugins: [sqlAsText, slowBuiltinsLater, pgCryptographyLater, ssh2ClientOnly],
    logLevel: "warning",
    metafile: true,
    write: false,
  });
  const chunks = new Map();
  for (const { path, text } of outputFiles) {
    const options = {
      format: "cjs",
      platform: "node",
      minifyWhitespace: true,
      supported: { "dynamic-import": false },
    };
    chunks.set(basename(path), (await transform(text, options)).code);
  }
  const entries = Object.entries(metafile.outputs)
    .filter(([, { entryPoint }]) => entryPoint in entrySources)
    .map(([path, { entryPoint }]) => ({
      path: join(outputDirectory, `${entrySources[entryPoint]}.cjs`),
      contents: renderEntry(basename(path)),
    }));
  return [...packChunks(chunks, metafile).flatMap(outputPack), ...entries];
}

/**
 * A pack for each entry and each chunk that something imports while it runs: the chunk with all that it imports at
 * load time, without what is loaded already wherever it is asked for. What two packs share is in both.
 */
function packChunks(chunks, { outputs }) {
  const imported = (name, isWanted) =>
    outputs[name].imports.filter(({ external, kind }) => !external && isWanted(kind)).map(({ path }) => path);
  const atLoadTime = (name) => imported(name, (kind) => kind !== "dynamic-import");
  const later = (name) => imported(name, (kind) => kind === "dynamic-import");

  const closures = new Map();
  const addPack = (first) => {
    if (closures.has(first)) return;
    const closure = new Set([first]);
    for (const name of closure) atLoadTime(name).forEach((next) => closure.add(next));
    closures.set(first, closure);
    [...closure].flatMap(later).forEach(addPack);
  };
  const entries = Object.keys(outputs).filter((name) => outputs[name].entryPoint in entrySources);
  entries.forEach(addPack);

  const known = new Map([...closures.keys()].map((first) => [first, new Set(Object.keys(outputs))]));
  for (const entry of entries) known.set(entry, new Set());
  for (let isStable = false; !isStable;) {
    isStable = true;
    for (const [pack, closure] of closures) {
      const loaded = new Set([...closure, ...known.get(pack)]);
      for (const target of [...closure].flatMap(later)) {
        const before = known.get(target);
        const both = new Set([...before].filter((name) => loaded.has(name)));
        isStable &&= both.size === before.size;
        known.set(target, both);
      }
    }
  }
  return [...closures].map(([first, closure]) => ({
    name: basename(first),
    members: [...closure]
      .filter((name) => !known.get(first).has(name))
      .map((name) => ({ name: basename(name), code: chunks.get(basename(name)) })),
  }));
}

function outputPack({ name, members }) {
  const path = join(outputDirectory, "packs", name);
  const factories = members.map(
    (member) =>
      `"${member.name}":function (exports, require, module, __dirname) {"use strict";${member.code}\n}`,
  );
  const contents = `({${factories.join(",\n")}})`;
  if (!/^[\0-\x7f]*$/.test(contents)) throw new Error(`${path} is not ASCII, as its loader expects`);
  return [
    { path, contents },
    { path: `${path}.v8-cache`, contents: compile(contents, basename(path)) },
  ];
}

/** Compiles every function, not only those that run at load time. The cache is refused by a V8 other than this one. */
function compile(source, filename) {
  setFlagsFromString("--no-lazy");
  const script = new Script(source, { filename });
  // The cache is valid only for the flags that are set when it is made.
  setFlagsFromString("--lazy");
  return script.createCachedData();
}

const renderEntry = (chunk) => `"use strict";
const { readFileSync } = require("node:fs");
const { Script } = require("node:vm");

const factories = new Map();
const loaded = new Map();

function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  if (!factories.has(name)) openPack(name);
  const module = { exports: {} };
  loaded.set(name, module);
  factories.get(name)(module.exports, requireFromChunk, module, __dirname);
  return module.exports;
}

const requireFromChunk = (wanted) => (wanted.startsWith("./") ? load(wanted.slice(2)) : require(wanted));

function openPack(name) {
  const path = __dirname + "/packs/" + name;
  const script = new Script(readFileSync(path, "latin1"), { filename: name, cachedData: readCache(path) });
  for (const [member, factory] of Object.entries(script.runInThisContext()))
    if (!factories.has(member)) factories.set(member, factory);
}

function readCache(path) {
  try {
    return readFileSync(path + ".v8-cache");
  } catch {
    return undefined;
  }
}

module.exports = load("${chunk}");
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
