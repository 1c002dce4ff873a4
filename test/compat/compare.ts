import { expect } from "vitest";
import type { AllowedDifference } from "./allowed-difference.js";
import { allowedDifferences } from "./allowed-differences.js";
import type { Database } from "./node.js";
import type { Observation, Observed } from "./observe.js";

export interface Comparison {
  readonly caseName: string;
  /** Of the reference, for example `5.3.3`. */
  readonly referenceVersion: string;
  /** Our program's; the reference always has its extension. */
  readonly database: Database;
  readonly theirs: Observed;
  readonly ours: Observed;
}

const used = new Set<AllowedDifference>();

/** Fails when something differs that is not in the table of allowed differences. */
export function expectSame(comparison: Comparison): void {
  const { theirs, ours, database } = comparison;
  const names = new Set([theirs, ours].flatMap(({ observation }) => Object.keys(observation)));
  const counted = [...names].filter((name) => !isAllowedToDiffer(name, comparison));
  const pick = ({ observation }: Observed): Observation =>
    Object.fromEntries(counted.map((name) => [name, observation[name]]));
  const setting = database === "repmgr" ? "with the extension" : "without the extension";
  const message = [
    `${comparison.caseName}: we ${setting} against the reference`,
    ...["stderr of the reference:", theirs.stderr, "our stderr:", ours.stderr],
  ].join("\n");
  expect(pick(ours), message).toEqual(pick(theirs));
}

/** Entries of the table for this reference that no case has needed. */
export function listUnusedDifferences(referenceVersion: string): readonly AllowedDifference[] {
  return allowedDifferences.filter(
    (difference) =>
      !used.has(difference) &&
      difference.dependsOnTiming !== true &&
      (difference.reference ?? referenceVersion) === referenceVersion,
  );
}

function isAllowedToDiffer(name: string, comparison: Comparison): boolean {
  const [theirs, ours] = [comparison.theirs.observation, comparison.ours.observation];
  if (isEqual(theirs[name], ours[name])) return false;
  const allowed = allowedDifferences.find(
    (difference) =>
      difference.of.includes(name) &&
      isAbout(difference, comparison) &&
      contains(theirs, difference.theirs) &&
      contains(ours, difference.ours),
  );
  if (allowed !== undefined) used.add(allowed);
  return allowed !== undefined;
}

const contains = (observation: Observation, part: Observation = {}): boolean =>
  Object.entries(part).every(([name, value]) => isEqual(observation[name], value));

function isAbout(
  difference: AllowedDifference,
  { caseName, referenceVersion, database }: Comparison,
): boolean {
  const { cases } = difference;
  return (
    (cases instanceof RegExp ? cases.test(caseName) : cases.includes(caseName)) &&
    (difference.reference ?? referenceVersion) === referenceVersion &&
    (difference.database ?? database) === database
  );
}

const isEqual = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
