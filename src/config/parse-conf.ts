import { posix } from "node:path";
import type { FileAccess, Files } from "../system/files.js";
import { readConfLine } from "./conf-lexer.js";
import { readConfText } from "./read-conf-text.js";

interface Place {
  readonly file: string;
  readonly line: number;
}

/** What was found in the files, in the order in which it takes effect. */
export type ConfEntry =
  | (Place & { readonly kind: "setting"; readonly name: string; readonly value: string })
  | (Place & { readonly kind: "syntax-error"; readonly near: string | null; readonly text: string })
  | (Place & { readonly kind: "problem"; readonly message: string });

/** PostgreSQL's limits (`guc-file.l`); the number of files bounds what nested directories can make us read. */
const MAXIMUM_DEPTH = 10;
const MAXIMUM_SYNTAX_ERRORS = 100;
const MAXIMUM_FILES = 1000;

interface Reading {
  readonly files: Files;
  readonly entries: ConfEntry[];
  fileCount: number;
}

/** Reads the text of `file` and all that it includes. Settings may occur several times. */
export function parseConf(text: string, file: string, files: Files): readonly ConfEntry[] {
  const reading: Reading = { files, entries: [], fileCount: 1 };
  readText(reading, text, [file]);
  return reading.entries;
}

/** `chain` holds the file itself and, before it, those that include it. */
function readText(reading: Reading, text: string, chain: readonly string[]): void {
  const file = chain.at(-1) ?? "";
  let syntaxErrors = 0;
  for (const [index, lineText] of text.split("\n").entries()) {
    const line = readConfLine(lineText);
    const place = { file, line: index + 1 };
    if (line.kind === "syntax-error") {
      reading.entries.push({ ...place, ...line, text: lineText });
      syntaxErrors += 1;
      if (syntaxErrors < MAXIMUM_SYNTAX_ERRORS) continue;
      reading.entries.push({
        ...place,
        kind: "problem",
        message: "too many syntax errors, the rest of the file was not read",
      });
      return;
    }
    if (line.kind === "setting" && !readInclude(reading, { ...line, place, chain })) {
      reading.entries.push({ ...place, ...line });
    }
  }
}

interface IncludeLine {
  readonly name: string;
  readonly value: string;
  readonly place: Place;
  readonly chain: readonly string[];
}

/** Whether the line was an include; the keywords are the only names that ignore case. */
function readInclude(reading: Reading, include: IncludeLine): boolean {
  const keyword = include.name.toLowerCase();
  if (!["include", "include_if_exists", "include_dir"].includes(keyword)) return false;
  const isDirectory = keyword === "include_dir";
  if (include.value === "") {
    addProblem(reading, include, `empty configuration ${isDirectory ? "directory" : "file"} name: ""`);
  } else if (isDirectory) includeDirectory(reading, include);
  else includeFile(reading, include, { path: resolveBeside(include), isOptional: keyword !== "include" });
  return true;
}

function includeFile(
  reading: Reading,
  include: IncludeLine,
  { path, isOptional }: { readonly path: string; readonly isOptional: boolean },
): void {
  if (include.chain.includes(path)) {
    addProblem(reading, include, `configuration file recursion in "${path}"`);
    return;
  }
  reading.fileCount += 1;
  const read = refuseExcess(reading, include) ?? readConfText(path, reading.files);
  if (read.ok) readText(reading, read.value, [...include.chain, path]);
  else if (!(isOptional && read.code === "ENOENT")) {
    addProblem(reading, include, `could not open configuration file "${path}": ${read.reason}`);
  }
}

function refuseExcess({ fileCount }: Reading, { chain }: IncludeLine): FileAccess<string> | null {
  if (chain.length > MAXIMUM_DEPTH)
    return { ok: false, code: "ELOOP", reason: "maximum nesting depth exceeded" };
  if (fileCount <= MAXIMUM_FILES) return null;
  return { ok: false, code: "EMFILE", reason: `more than ${MAXIMUM_FILES} configuration files` };
}

function includeDirectory(reading: Reading, include: IncludeLine): void {
  const directory = resolveBeside(include);
  const listed = reading.files.readDirectory(directory);
  if (!listed.ok) {
    addProblem(reading, include, `could not open configuration directory "${directory}": ${listed.reason}`);
    return;
  }
  const names = listed.value
    .filter(({ name, isDirectory }) => !isDirectory && /^[^.].*\.conf$/s.test(name))
    .map(({ name }) => name)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const name of names)
    includeFile(reading, include, { path: `${directory}/${name}`, isOptional: false });
}

function resolveBeside({ value, place }: IncludeLine): string {
  return posix.resolve(posix.dirname(place.file), value);
}

function addProblem(reading: Reading, { place }: IncludeLine, message: string): void {
  reading.entries.push({ ...place, kind: "problem", message });
}
