import { judgeRow, type Measurement, type Verdict } from "./judge-row.js";
import { rows, type Limit, type MeasurementName, type Row, type Side } from "./rows.js";
import type { Summary } from "./statistics.js";

/** What one run of the bench found out; the JSON file is this and the verdicts. */
export interface Results {
  readonly measurements: Readonly<Record<MeasurementName, Measurement>>;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGib: number;
    /** `NODE_EXTRA_CA_CERTS` is set, which makes every start of Node slow but ours. */
    readonly hasExtraCertificates: boolean;
  };
  /** `reference` is null where it is not installed. */
  readonly versions: {
    readonly tsrepmgr: string;
    readonly reference: string | null;
    readonly postgres: string;
    readonly node: string;
  };
  readonly isQuick: boolean;
}

export const judgeRows = ({ measurements }: Results): readonly (readonly [Row, Verdict])[] =>
  rows.map((row) => [row, judgeRow(row, measurements[row.measurement])]);

export const hasMissedRow = (results: Results): boolean =>
  judgeRows(results).some(([, verdict]) => verdict.kind === "missed");

export function renderJson(results: Results): string {
  const judged = judgeRows(results).map(([row, verdict]) => ({ ...row, ...verdict }));
  return `${JSON.stringify({ schema_version: 1, rows: judged, ...results }, null, 2)}\n`;
}

const sideNames: Readonly<Record<Side, string>> = {
  ours: "tsrepmgr",
  node: "`node -e 0`",
  reference: "repmgr",
  pg_basebackup: "`pg_basebackup`",
};

export function renderMarkdown(results: Results): string {
  const { cpu, cores, memoryGib, hasExtraCertificates } = results.machine;
  const { tsrepmgr, reference, postgres, node } = results.versions;
  const skipped = judgeRows(results).flatMap(([row, verdict]) =>
    verdict.kind === "skipped" ? [`\nNot measured: ${row.title}, ${verdict.reason}.\n`] : [],
  );
  return [
    "| what | tsrepmgr | compared with | ratio | at most | |\n",
    "|---|---|---|---|---|---|\n",
    ...judgeRows(results).map(([row, verdict]) => renderRow(row, verdict)),
    "\nMedian (minimum–maximum, number of runs); the programs took turns.",
    ` tsrepmgr ${tsrepmgr}, ${reference === null ? "no repmgr" : `repmgr ${reference}`}, PostgreSQL ${postgres},`,
    ` Node.js ${node}; ${cpu}, ${cores} cores, ${memoryGib} GiB${results.isQuick ? "; few runs (--quick)" : ""}.\n`,
    hasExtraCertificates
      ? "\n`NODE_EXTRA_CA_CERTS` is set here: `node -e 0` parses those certificates when it starts, tsrepmgr leaves them alone.\n"
      : "",
    ...new Set(skipped),
  ].join("");
}

function renderRow({ title, limit, unit }: Row, verdict: Verdict): string {
  const allowed = describeLimit(limit, unit);
  const cells =
    verdict.kind === "skipped"
      ? ["", limit.base === null ? "" : sideNames[limit.base], "", allowed, "skipped"]
      : [
          renderSummary(verdict.ours, unit),
          limit.base === null || verdict.base === null
            ? ""
            : `${sideNames[limit.base]}: ${renderSummary(verdict.base, unit)}`,
          verdict.ratio === null ? "" : verdict.ratio.toFixed(2),
          allowed,
          verdict.kind === "met" ? "✓" : "**missed**",
        ];
  return `| ${[title, ...cells].join(" | ")} |\n`;
}

function describeLimit({ base, factor, extra }: Limit, unit: Row["unit"]): string {
  if (base === null) return `${extra} ${unit}`;
  return extra === 0 ? factor.toFixed(2) : `${factor.toFixed(2)}, + ${extra} ${unit}`;
}

function renderSummary({ median, minimum, maximum, sampleSize }: Summary, unit: Row["unit"]): string {
  const [shownMedian, shownMinimum, shownMaximum] = [median, minimum, maximum].map((value) =>
    value < 1000 ? value.toFixed(value < 100 ? 1 : 0) : String(Math.round(value)),
  );
  return `${shownMedian} ${unit} (${shownMinimum}–${shownMaximum}, ${sampleSize})`;
}

const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";

/** Puts the table between the two marks of a document. Throws RangeError when they are missing. */
export function replaceMeasured(document: string, table: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new RangeError(`the document has no ${BEGIN} … ${END}`);
  return `${document.slice(0, begin)}${BEGIN}\n\n${table}\n${document.slice(end)}`;
}
