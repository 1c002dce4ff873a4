import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** The password, also cut off after its first blank or semicolon, percent-encoded or with escapes. */
const TRACE = /S3cr(?:\\?#|%23)t/i;

/** Every line of the run's outputs and logs that tells the password, as `file: line`. */
export async function findLeaks(root: string): Promise<readonly string[]> {
  const leaks: string[] = [];
  for (const file of await listEvidence(root)) {
    const lines = (await readFile(file, "utf8")).split("\n");
    leaks.push(...lines.filter((line) => TRACE.test(line)).map((line) => `${file}: ${line}`));
  }
  return leaks;
}

async function listEvidence(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.startsWith(join(root, "evidence")) || path.endsWith(".log"));
}
