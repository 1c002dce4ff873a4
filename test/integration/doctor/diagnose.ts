import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect } from "vitest";
import { judgeDisk } from "../../../src/decide/doctor/check-host.js";
import { runProgram, type ProgramOptions } from "../../harness/program.js";

interface Check {
  readonly node_id: number | null;
  readonly check: string;
  readonly status: string;
  readonly code: string | null;
  readonly message: string;
  readonly hint: string | null;
}

interface Diagnosis {
  readonly exitCode: number | null;
  readonly checks: readonly Check[];
  /** `1 wal_level`, notes included. */
  readonly codes: readonly string[];
  readonly problems: readonly { readonly severity: string; readonly code: string; readonly hint: string }[];
}

/** A machine whose disk is nearly full is found by the doctor, and rightly so: nothing is healthy there. */
export function isDiskShort(): boolean {
  const path = tmpdir();
  const { bavail, bsize, blocks } = statfsSync(path);
  return judgeDisk({ path, freeBytes: bavail * bsize, totalBytes: blocks * bsize }) !== null;
}

/** What `doctor --format=json` says. */
export async function diagnose(
  configFile: string,
  options: ProgramOptions & { readonly words?: readonly string[] } = {},
): Promise<Diagnosis> {
  const words = ["-f", configFile, ...(options.words ?? []), "doctor", "--format=json"];
  const { exitCode, stdout, output } = await runProgram(words, options);
  expect(stdout, output).toContain('"command": "doctor"');
  const document = JSON.parse(stdout) as Omit<Diagnosis, "exitCode" | "codes"> & { exit_code: number };
  expect(document.exit_code).toBe(exitCode);
  const codes = document.checks.flatMap(({ node_id: id, code }) => (code === null ? [] : [`${id} ${code}`]));
  return { exitCode, checks: document.checks, problems: document.problems, codes };
}

/** The repair for a finding; empty without it. */
export const hintOf = ({ checks }: Diagnosis, code: string): string =>
  checks.find((check) => check.code === code)?.hint ?? "";
