import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

const checkout = join(import.meta.dirname, "../../..");

interface LintResult {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null; readonly message: string }[];
}

/** Lints example files in a project of their own with our configuration; answers the rules that each file broke. */
export function lintExamples(files: Readonly<Record<string, string>>): (path: string) => readonly string[] {
  const project = mkdtempSync(join(tmpdir(), "tsrepmgr-lint-"));
  try {
    symlinkSync(join(checkout, "node_modules"), join(project, "node_modules"));
    const tsconfig = { extends: join(checkout, "tsconfig.json"), include: ["src"] };
    for (const [path, text] of Object.entries({ ...files, "tsconfig.json": JSON.stringify(tsconfig) })) {
      mkdirSync(dirname(join(project, path)), { recursive: true });
      writeFileSync(join(project, path), text);
    }
    const eslint = join(checkout, "node_modules/eslint/bin/eslint.js");
    const args = ["--config", join(checkout, "eslint.config.js"), "--format", "json", "src"];
    const run = spawnSync(process.execPath, [eslint, ...args], {
      cwd: project,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    if (run.status !== 0 && run.status !== 1) throw new Error(run.stderr);
    const results = JSON.parse(run.stdout) as readonly LintResult[];
    const rulesByPath = new Map(
      results.map(({ filePath, messages }) => [
        relative(project, filePath),
        messages.map(({ ruleId, message }) => ruleId ?? message),
      ]),
    );
    return (path) => {
      const rules = rulesByPath.get(path);
      if (rules === undefined) throw new Error(`${path} was not linted`);
      return rules;
    };
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
