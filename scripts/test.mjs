// npm test, npm run check, npm run test:guides, npm run test:compat, npm run test:cluster,
// npm run test:faults, npm run test:long: prepares the machine, runs one tier, sums up.
//   test.mjs [--tier NAME] [argument of vitest ...]
// Arguments for vitest choose tests, so that nothing but tests is run then.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { chooseOrdinaryUser, environmentFor, giveTo, isRoot, makeFolder, nodeFor } from "./ordinary-user.mjs";
import { checkout, findPostgres, prepareMachine } from "./prepare-machine.mjs";
import { atEnd, Failure, heading, run, runScript } from "./run.mjs";
import { stopServersBelow } from "./servers-below.mjs";

/** What a tier runs. Container tiers run in place, as whoever calls, because they talk to the engine. */
const tiers = {
  check: { hasStaticChecks: true, projects: ["unit", "scenario"] },
  test: {
    hasStaticChecks: true,
    projects: ["unit", "scenario", "integration"],
    needsPostgres: true,
    needsSshd: true,
  },
  guides: { projects: ["guides"], needsEngine: true },
  compat: { projects: ["compat"], needsEngine: true },
  cluster: { projects: ["cluster"], needsEngine: true },
  faults: { projects: ["faults"], needsEngine: true },
  random: { projects: ["random-faults"], needsEngine: true, env: { FAULT_MINUTES: "10" } },
  // FAULT_MINUTES chooses another duration than an hour, FAULT_SEED repeats a sequence of faults.
  long: {
    projects: ["scenario", "random-faults"],
    needsEngine: true,
    env: { SIMULATION_HISTORIES: "100000" },
  },
};

const staticChecks = [
  ["format", "node_modules/prettier/bin/prettier.cjs", "--check", "."],
  ["lint", "node_modules/eslint/bin/eslint.js", "--max-warnings", "0", "."],
  ["types", "node_modules/typescript/bin/tsc"],
  ["unused code", "node_modules/knip/bin/knip.js"],
];

const none = () => ({ passed: 0, failed: 0, skipped: 0, reasons: {}, failures: [], secondAttempts: [] });

function readArguments() {
  const words = process.argv.slice(2).filter((word) => word !== "--");
  const name = words[0] === "--tier" ? words[1] : "test";
  const tier = tiers[name];
  if (tier === undefined)
    throw new Failure(`unknown tier ${name}; there are ${Object.keys(tiers).join(", ")}`);
  return { name, tier, filters: words[0] === "--tier" ? words.slice(2) : words };
}

async function runStaticChecks() {
  const summary = none();
  for (const [name, program, ...args] of staticChecks) {
    heading(name);
    const exitCode = await run(process.execPath, [join(checkout, program), ...args], { cwd: checkout });
    if (exitCode === 0) summary.passed++;
    else {
      summary.failed++;
      summary.failures.push(name);
    }
  }
  return summary;
}

async function runTests(tier, filters) {
  heading(`tests: ${tier.projects.join(", ")}`);
  const place = isRoot && !tier.needsEngine ? await copyForOrdinaryUser() : stayHere();
  const summaryFile = join(place.folder.path, "tmp", "summary.json");
  const args = [
    join(place.directory, "node_modules/vitest/vitest.mjs"),
    "run",
    ...tier.projects.flatMap((project) => ["--project", project]),
    "--reporter=default",
    `--reporter=${join(place.directory, "scripts/summary-reporter.mjs")}`,
    ...filters,
  ];
  const env = { ...place.env, ...tier.env, TSREPMGR_TEST_SUMMARY: summaryFile };
  const exitCode = await run(place.node, args, { ...place.credentials, cwd: place.directory, env });
  const summary = readSummary(summaryFile);
  if (exitCode !== 0 && summary.failed === 0) summary.failed = 1;
  if (summary.passed + summary.failed + summary.skipped === 0) {
    console.error("error: no test was found");
    summary.failed = 1;
  }
  if (summary.failed > 0) place.keepEvidence();
  return summary;
}

function readSummary(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { ...none(), failed: 1 };
  } finally {
    rmSync(file, { force: true });
  }
}

function stayHere() {
  const folder = makeFolder({ credentials: {} }, "test");
  const env = { ...process.env, TESTCONTAINERS_RYUK_DISABLED: "true" };
  return {
    folder,
    directory: checkout,
    node: process.execPath,
    credentials: {},
    env,
    keepEvidence: () => {},
  };
}

/** A clone of root's is closed to others, so the ordinary user gets a copy of it. */
async function copyForOrdinaryUser() {
  const user = chooseOrdinaryUser();
  console.log(
    `root hands over to the user ${user.name}, who gets a copy of this checkout for the time of the tests`,
  );
  const folder = makeFolder(user, "test");
  const directory = join(folder.path, "checkout");
  mkdirSync(directory);
  atEnd(() => rmSync(directory, { recursive: true, force: true }));
  atEnd(() => stopServersBelow(folder.path));
  const names = readdirSync(checkout).filter((name) => name !== ".git");
  if ((await run("cp", ["-a", ...names.map((name) => join(checkout, name)), directory])) !== 0) {
    throw new Failure("the checkout could not be copied");
  }
  giveTo(user, folder.path);
  const node = nodeFor(user, folder.path);
  return {
    folder,
    directory,
    node,
    credentials: user.credentials,
    env: environmentFor(user, folder.path, dirname(node)),
    keepEvidence: () => (folder.isKept = readdirSync(join(folder.path, "tmp")).length > 0),
  };
}

function requireEngine() {
  const { status } = spawnSync("docker", ["info"], { stdio: "ignore", cwd: tmpdir() });
  if (status === 0) return;
  throw new Failure(
    'no container engine answers. As root: eval "$(scripts/start-engine.sh bookworm trixie)"',
  );
}

function report(summary, tierName) {
  heading("summary");
  for (const [reason, count] of Object.entries(summary.reasons)) console.log(`skipped ${count}: ${reason}`);
  for (const test of summary.secondAttempts) console.log(`passed at the second attempt: ${test}`);
  for (const failure of summary.failures) console.log(`failed: ${failure}`);
  if (tierName === "test") {
    console.log(
      `PostgreSQL of these tests: ${findPostgres()} (the newest here; TEST_PG_VERSION=NN chooses another)`,
    );
    console.log(
      "not run here: npm run test:guides, npm run test:compat, npm run test:cluster, npm run test:faults (container tiers; need a Docker engine)",
    );
  }
  console.log(`${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`);
}

await runScript(async () => {
  const { name, tier, filters } = readArguments();
  await prepareMachine(tier);
  if (tier.needsEngine) requireEngine();
  const summary = none();
  const parts = [
    ...(tier.hasStaticChecks && filters.length === 0 ? [runStaticChecks] : []),
    () => runTests(tier, filters),
  ];
  for (const part of parts) {
    const { passed, failed, skipped, reasons, failures, secondAttempts } = await part();
    summary.passed += passed;
    summary.failed += failed;
    summary.skipped += skipped;
    summary.failures.push(...failures);
    summary.secondAttempts.push(...secondAttempts);
    Object.assign(summary.reasons, reasons);
  }
  report(summary, name);
  return summary.failed === 0 ? 0 : 1;
});
