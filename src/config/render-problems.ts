import { describeConfigurationProblem, type ConfigurationProblem } from "./configuration-problem.js";
import type { LoadedConfiguration } from "./load-configuration.js";

/** The ERROR and WARNING blocks about the configuration, as lines without newlines; terse leaves out the warnings. */
export function renderConfigurationProblems(
  loaded: Pick<LoadedConfiguration, "file" | "isFoundBySearch" | "errors" | "warnings">,
  { isTerse }: { readonly isTerse: boolean } = { isTerse: false },
): readonly string[] {
  const { file, isFoundBySearch, errors, warnings } = loaded;
  const lines: string[] = [];
  if (errors.length > 0) {
    lines.push("ERROR: following errors were found in the configuration file:", ...indent(errors));
  }
  if (warnings.length > 0 && !isTerse) {
    const also = errors.length > 0 ? "also " : "";
    lines.push(
      `WARNING: the following problems were ${also}found in the configuration file:`,
      ...indent(warnings),
    );
  }
  if (errors.length > 0 && isFoundBySearch && !isTerse)
    lines.push(`DETAIL: configuration file is: "${file ?? ""}"`);
  return lines;
}

const indent = (problems: readonly ConfigurationProblem[]): readonly string[] =>
  problems.map((problem) => `  ${describeConfigurationProblem(problem)}`);
