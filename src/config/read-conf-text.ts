import type { FileAccess, Files } from "../system/files.js";

/** Far above any real configuration; keeps a mistaken `-f` on a log or an archive from costing seconds. */
const MAXIMUM_BYTES = 1024 * 1024;
const BINARY_SHARE = 0.1;

/** Reads a configuration file as text; what is not text, or is far too large, is a failure with its reason. */
export function readConfText(path: string, files: Files): FileAccess<string> {
  const read = files.readFile(path, MAXIMUM_BYTES);
  if (!read.ok) return read;
  const text = new TextDecoder().decode(read.value);
  const binary = describeBinary(text);
  return binary === null ? { ok: true, value: text } : { ok: false, code: "EBINARY", reason: binary };
}

function describeBinary(text: string): string | null {
  const nul = text.indexOf("\0");
  const oddCharacters = text.match(/[\u0001-\u0008\u000e-\u001f\u007f\ufffd]/g)?.length ?? 0;
  if (oddCharacters > text.length * BINARY_SHARE) return "Not a text file";
  if (nul < 0) return null;
  return `Not a text file (NUL byte in line ${text.slice(0, nul).split("\n").length})`;
}
