/** A line or part of a line of a guide, what stands for it here, and why. */
export interface Adaptation {
  /** Empty for a step that the guide lacks. */
  readonly guide: string;
  readonly here: string;
  readonly reason: string;
}

export interface GuideReader {
  /** The line as it is typed or expected here: every adaptation whose guide text it contains is applied. */
  adapt(line: string): string;
  /** A line that the guide lacks; throws when the table does not tell it. */
  addStep(line: string): string;
  /** Adaptations that nothing has needed so far. */
  listUnused(): readonly Adaptation[];
}

/** Applies a table of adaptations and keeps count, so that the table says exactly what differs from the guide. */
export function readGuideWith(adaptations: readonly Adaptation[]): GuideReader {
  const used = new Set<Adaptation>();
  return {
    adapt: (line) => {
      const replacements = adaptations.filter(({ guide }) => guide !== "" && line.includes(guide));
      return replacements.reduce((text, adaptation) => {
        used.add(adaptation);
        return text.replaceAll(adaptation.guide, adaptation.here);
      }, line);
    },
    addStep: (line) => {
      const adaptation = adaptations.find(({ guide, here }) => guide === "" && here === line);
      if (adaptation === undefined) throw new Error(`the guide has no line "${line}", nor has the table`);
      used.add(adaptation);
      return line;
    },
    listUnused: () => adaptations.filter((adaptation) => !used.has(adaptation)),
  };
}
