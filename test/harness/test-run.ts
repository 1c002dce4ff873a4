import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";

/** The password of every role in every test server; global-setup.ts fails the run when it shows up anywhere. */
export const testPassword = "S3cr#t;x y";

declare module "vitest" {
  interface ProvidedContext {
    runDirectory: string;
  }
}

/** The folder of this test run, shared by all test files. */
export const runDirectory = (): string => inject("runDirectory");
/** Captured outputs and the process list, searched for the password at the end. */
export const evidenceDirectory = (): string => join(runDirectory(), "evidence");
export const passfile = (): string => join(runDirectory(), "passfile");
export const homeDirectory = (): string => join(runDirectory(), "home");

/** A new folder of mode 0700; removed at the end of the run unless a test failed. */
export async function newDirectory(purpose: string): Promise<string> {
  return newDirectorySync(purpose);
}

export function newDirectorySync(purpose: string): string {
  const parent = join(runDirectory(), "directories");
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, `${purpose}-`));
}

/** What every program of a test sees: no PG* of the developer's shell, the harness' passfile and an empty home. */
export function testEnvironment(): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      !/^(PG|VITEST|NODE_|TEST$|DEV$|PROD$|MODE$|FORCE_COLOR$|NO_COLOR$)/.test(entry[0]),
  );
  return {
    ...Object.fromEntries(inherited),
    HOME: homeDirectory(),
    PGPASSFILE: passfile(),
    LC_ALL: "C",
    TZ: "UTC",
  };
}
