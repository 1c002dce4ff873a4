import { existsSync } from "node:fs";
import { configDefaults, defineConfig } from "vitest/config";
import { findPostgresVersions } from "./test/harness/postgres-versions.js";

const hasPostgres = findPostgresVersions().length > 0;
const hasSshd = existsSync("/usr/sbin/sshd");

/** Tests with a real sshd; where there is none, one test in their place says so. */
const overSsh = [
  "test/integration/clone/external-config-files.test.ts",
  "test/integration/remote/**",
  "test/integration/switchover/**",
];

/**
 * A wait that ran out of time may be the machine's, which two workers and their servers share. What is asserted gets no
 * second attempt, nor does anything in containers; each one is named at the end of the run.
 */
const secondAttempt = { count: 1, condition: /waited \d+ ms in vain/ };

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { test: { name: "scenario", include: ["test/scenario/**/*.test.ts"] } },
      {
        test: {
          name: "integration",
          include: hasPostgres
            ? ["test/integration/**/*.test.ts", ...(hasSshd ? [] : ["test/harness/sshd-missing.test.ts"])]
            : ["test/harness/postgres-missing.test.ts"],
          exclude: [...configDefaults.exclude, ...(hasSshd ? [] : overSsh)],
          globalSetup: "test/harness/global-setup.ts",
          setupFiles: "test/harness/setup-file.ts",
          pool: "forks",
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 120_000,
          retry: secondAttempt,
        },
      },
      {
        test: {
          name: "guides",
          include: ["test/guides/**/*.test.ts"],
          globalSetup: "test/harness/containers-global-setup.ts",
          pool: "forks",
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 400_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          globalSetup: "test/cluster/global-setup.ts",
          pool: "forks",
          maxWorkers: 1,
          sequence: { groupOrder: 4 },
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "faults",
          include: ["test/faults/*.test.ts"],
          globalSetup: "test/faults/global-setup.ts",
          pool: "forks",
          maxWorkers: 1,
          sequence: { groupOrder: 5 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "random-faults",
          include: ["test/faults/random/*.test.ts"],
          globalSetup: "test/faults/global-setup.ts",
          pool: "forks",
          maxWorkers: 1,
          sequence: { groupOrder: 6 },
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "compat",
          include: ["test/compat/**/*.test.ts"],
          globalSetup: "test/compat/global-setup.ts",
          pool: "forks",
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
          testTimeout: 60_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
