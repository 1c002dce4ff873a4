import { ConninfoError, isSecretKeyword, SECRET_MASK, storeConninfoValue } from "./conninfo-keywords.js";
import { isConninfoUri, maskConninfoUri, parseConninfoUri } from "./conninfo-uri.js";

export { ConninfoError };

/** Connection parameters by libpq keyword, in the order they were given. */
export type Conninfo = ReadonlyMap<string, string>;

/** Reads a connection string, keyword/value or URI, by libpq's grammar. Throws ConninfoError with libpq's message. */
export function parseConninfo(text: string): Conninfo {
  if (isConninfoUri(text)) return parseConninfoUri(text);
  const result = new Map<string, string>();
  for (const setting of readSettings(text)) {
    if (!storeConninfoValue(result, setting.keyword, setting.value)) {
      throw new ConninfoError(`invalid connection option "${setting.keyword}"`);
    }
  }
  return result;
}

/** Writes the keyword/value form, every value quoted where libpq would quote it. */
export function formatConninfo(conninfo: Conninfo): string {
  return [...conninfo].map(([keyword, value]) => `${keyword}=${quoteConninfoValue(value)}`).join(" ");
}

export function quoteConninfoValue(value: string): string {
  if (/^[A-Za-z0-9_.]+$/.test(value)) return value;
  return `'${value.replace(/['\\]/g, "\\$&")}'`;
}

/** A connection string fit for a message: secrets are replaced, the rest stays as written. Never throws. */
export function maskConninfo(conninfo: Conninfo | string): string {
  if (typeof conninfo !== "string") {
    return [...conninfo]
      .map(
        ([keyword, value]) =>
          `${keyword}=${isSecretKeyword(keyword) ? SECRET_MASK : quoteConninfoValue(value)}`,
      )
      .join(" ");
  }
  if (isConninfoUri(conninfo)) return maskConninfoUri(conninfo);
  try {
    // A secret inside another value is none to libpq, but somebody who forgot a quote meant it as one.
    return maskSettings(conninfo).replaceAll(/(password\s*=\s*)(?!\*{5})[^\s']+/g, `$1${SECRET_MASK}`);
  } catch {
    const firstSecret = /password|scram_client_key|scram_server_key|oauth_client_secret/.exec(conninfo);
    return firstSecret === null
      ? conninfo
      : `${conninfo.slice(0, firstSecret.index)}${firstSecret[0]}=${SECRET_MASK}`;
  }
}

/** Whether `-d` was given a connection string rather than a database name. */
export function isConninfo(text: string): boolean {
  return isConninfoUri(text) || text.includes("=");
}

/** Lays `overlay` over `base`; as in repmgr, an empty value does not replace anything. */
export function mergeConninfo(base: Conninfo, overlay: Conninfo): Conninfo {
  const result = new Map(base);
  for (const [keyword, value] of overlay) {
    if (value !== "") result.set(keyword, value);
  }
  return result;
}

interface Setting {
  readonly keyword: string;
  readonly value: string;
  /** Where the value stands in the text, quotes included. */
  readonly valueStart: number;
  readonly valueEnd: number;
}

const KEYWORD = /[ \t\n\v\f\r]*([^= \t\n\v\f\r]*)/y;
const EQUALS_SIGN = /[ \t\n\v\f\r]*=[ \t\n\v\f\r]*/y;
const QUOTED_VALUE = /'((?:[^'\\]|\\[^])*)'/y;
const PLAIN_VALUE = /(?:[^\\ \t\n\v\f\r]|\\[^]|\\$)*/y;

function* readSettings(text: string): Generator<Setting> {
  let previousKeyword = "";
  const end = text.replace(/[ \t\n\v\f\r]+$/, "").length;
  let position = 0;
  while (position < end) {
    const keyword = matchAt(text, position, KEYWORD);
    const equalsSign = matchAt(text, position + (keyword?.[0].length ?? 0), EQUALS_SIGN);
    if (keyword === null || equalsSign === null) {
      // A blank in an unquoted password makes its rest look like a keyword.
      const shown = isSecretKeyword(previousKeyword) ? SECRET_MASK : (keyword?.[1] ?? "");
      throw new ConninfoError(`missing "=" after "${shown}" in connection info string`);
    }
    const valueStart = equalsSign.index + equalsSign[0].length;
    const quoted = text[valueStart] === "'";
    const value = matchAt(text, valueStart, quoted ? QUOTED_VALUE : PLAIN_VALUE);
    if (value === null) throw new ConninfoError("unterminated quoted string in connection info string");
    position = valueStart + value[0].length;
    previousKeyword = keyword[1] ?? "";
    yield {
      keyword: previousKeyword,
      value: (quoted ? (value[1] ?? "") : value[0]).replace(/\\([^]?)/g, "$1"),
      valueStart,
      valueEnd: position,
    };
  }
}

function matchAt(text: string, position: number, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

function maskSettings(text: string): string {
  let masked = "";
  let copied = 0;
  for (const setting of readSettings(text)) {
    if (!isSecretKeyword(setting.keyword)) continue;
    masked += text.slice(copied, setting.valueStart) + SECRET_MASK;
    copied = setting.valueEnd;
  }
  return masked + text.slice(copied);
}
