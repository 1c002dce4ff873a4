// npm run bench [-- --quick] [--update-readme] [--output=DIRECTORY]: measures, prints a table, writes it as Markdown
// and JSON (default bench/results/). Exit code 1 when a row misses its value.
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import {
  chooseOrdinaryUser,
  environmentFor,
  giveTo,
  isRoot,
  makeFolder,
  nodeFor,
} from "../scripts/ordinary-user.mjs";
import { checkout, installDebianPackages, prepareMachine } from "../scripts/prepare-machine.mjs";
import { atEnd, Failure, heading, run, runScript } from "../scripts/run.mjs";
import { stopServersBelow } from "../scripts/servers-below.mjs";

const USAGE = "usage: npm run bench -- [--quick] [--update-readme] [--output=DIRECTORY]";

function readArguments() {
  try {
    return parseArgs({
      options: {
        quick: { type: "boolean", default: false },
        "update-readme": { type: "boolean", default: false },
        output: { type: "string", default: join(checkout, "bench/results") },
      },
    }).values;
  } catch (error) {
    throw new Failure(`${error.message}\n${USAGE}`);
  }
}

/** Why the reference cannot be measured here; empty when it can. */
async function prepareReference(binDirectory) {
  const isThere = () => existsSync(join(binDirectory, "repmgr"));
  if (isThere()) return "";
  const name = `postgresql-${basename(dirname(binDirectory))}-repmgr`;
  if (!isRoot || !existsSync("/usr/bin/apt-get")) {
    return `repmgr is not installed; as root: apt-get install ${name}`;
  }
  try {
    await installDebianPackages([name]);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `${name} could not be installed: ${error.message}`;
  }
  return isThere() ? "" : `${name} has no repmgr in ${binDirectory}`;
}

async function bundleParts(folder) {
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: checkout,
    entryPoints: ["bench/measure.ts", "bench/report.ts"],
    outdir: join(folder, "bench"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    external: ["pg-native"],
    // Packages in the older module format ask for Node's own modules while they run.
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
    },
  });
}

/** What the measuring user needs: our program as it would be installed, a password, the measuring program. */
async function fillFolder({ path }) {
  for (const name of ["bin", "dist", "package.json"]) {
    cpSync(join(checkout, name), join(path, "program", name), { recursive: true });
  }
  mkdirSync(join(path, "bin"));
  for (const name of ["tsrepmgr", "tsrepmgrd"])
    symlinkSync(`../program/bin/${name}.js`, join(path, "bin", name));
  const password = randomBytes(12).toString("base64url");
  writeFileSync(join(path, "password"), `${password}\n`, { mode: 0o600 });
  writeFileSync(join(path, "passfile"), `127.0.0.1:*:*:repmgr:${password}\n`, { mode: 0o600 });
  await bundleParts(path);
}

async function publish(folder, options) {
  const results = JSON.parse(readFileSync(join(folder.path, "results.json"), "utf8"));
  const { renderJson, renderMarkdown, replaceMeasured } = await import(
    pathToFileURL(join(folder.path, "bench/report.mjs")).href
  );
  const table = renderMarkdown(results);
  mkdirSync(options.output, { recursive: true });
  writeFileSync(join(options.output, "measured.md"), table);
  writeFileSync(join(options.output, "measured.json"), renderJson(results));
  console.log(`written to ${options.output}: measured.md, measured.json`);
  if (!options["update-readme"]) return;
  const readme = join(checkout, "README.md");
  writeFileSync(readme, replaceMeasured(readFileSync(readme, "utf8"), table));
  console.log("README.md shows these figures now");
}

await runScript(async () => {
  const options = readArguments();
  const binDirectory = await prepareMachine({ needsPostgres: true });
  const whyNoReference = await prepareReference(binDirectory);
  const user = chooseOrdinaryUser();
  const folder = makeFolder(user, "bench");
  atEnd(() => stopServersBelow(folder.path));
  await fillFolder(folder);
  giveTo(user, folder.path);
  const node = nodeFor(user, folder.path);
  const env = {
    ...environmentFor(user, folder.path, dirname(node)),
    PGPASSFILE: join(folder.path, "passfile"),
  };
  const args = [
    ...[join(folder.path, "bench/measure.mjs"), folder.path, binDirectory, whyNoReference],
    ...(options.quick ? ["--quick"] : []),
  ];
  heading(
    `measuring as the user ${user.name}${whyNoReference && `; without the reference: ${whyNoReference}`}`,
  );
  const exitCode = await run(node, args, { ...user.credentials, env, cwd: folder.path });
  if (existsSync(join(folder.path, "results.json"))) await publish(folder, options);
  return exitCode;
});
