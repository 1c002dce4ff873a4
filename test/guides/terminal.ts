import type { ExecResult } from "testcontainers";
import type { ContainerNode } from "../harness/containers.js";
import type { GuideReader } from "./adaptation.js";

/** A shell on a node, first as root, as a reader of a guide has it open: `su` and `cd` last. */
export interface Terminal {
  /** Types a line of the guide; throws when it ends with another exit code than this one, which is 0. */
  type(guideLine: string, exitCode?: number): Promise<ExecResult>;
  /** The same; any exit code is a result. */
  tryType(guideLine: string): Promise<ExecResult>;
  /** Types a line that the guide lacks. */
  typeMissing(line: string): Promise<ExecResult>;
  /** Adds lines to a file, as the guide does in an editor. */
  edit(guidePath: string, guideLines: readonly string[]): Promise<void>;
  /** Adds a line that the guide lacks. */
  editMissing(guidePath: string, line: string): Promise<void>;
}

export function openTerminal(node: ContainerNode, guide: GuideReader): Terminal {
  let user: "postgres" | "root" = "root";
  let directory = "/";
  const run = async (line: string, exitCode = 0): Promise<ExecResult> => {
    if (/^su (?:- )?postgres$/.test(line)) {
      user = "postgres";
      return { exitCode: 0, stdout: "", stderr: "", output: "" };
    }
    const result = await node.execute(line, { user, directory });
    if (result.exitCode !== exitCode)
      throw new Error(`${node.name}: ${line}\nended with ${String(result.exitCode)}:\n${result.output}`);
    directory = /^cd (\S+)$/.exec(line)?.[1] ?? directory;
    return result;
  };
  const adaptAll = (lines: readonly string[]): readonly string[] => lines.map((line) => guide.adapt(line));
  return {
    type: (guideLine, exitCode) => run(guide.adapt(guideLine), exitCode),
    tryType: (guideLine) => node.execute(guide.adapt(guideLine), { user, directory }),
    typeMissing: (line) => run(guide.addStep(line)),
    edit: (path, lines) => node.appendLines(guide.adapt(path), adaptAll(lines)),
    editMissing: (path, line) => node.appendLines(guide.adapt(path), adaptAll([guide.addStep(line)])),
  };
}
