import { ConninfoError, isSecretKeyword, SECRET_MASK, storeConninfoValue } from "./conninfo-keywords.js";

const URI_PREFIX = /^postgres(?:ql)?:\/\//;

export function isConninfoUri(text: string): boolean {
  return URI_PREFIX.test(text);
}

/** Reads `postgresql://[user[:password]@][host][:port][,…][/dbname][?keyword=value[&…]]` by libpq's rules. */
export function parseConninfoUri(uri: string): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  const store = (keyword: string, encoded: string): void => {
    if (encoded !== "") storeConninfoValue(result, keyword, decodePercent(encoded, isSecretKeyword(keyword)));
  };
  const afterScheme = uri.replace(URI_PREFIX, "");
  const credentials = /^([^@/]*)@/.exec(afterScheme);
  if (credentials !== null) {
    const [user = "", ...password] = (credentials[1] ?? "").split(":");
    store("user", user);
    store("password", password.join(":"));
  }
  const location = readHosts(uri, uri.length - afterScheme.length + (credentials?.[0].length ?? 0));
  store("host", location.hosts);
  store("port", location.ports);
  const rest = /^(?:\/([^?]*))?(?:\?(.*))?$/s.exec(uri.slice(location.end));
  store("dbname", rest?.[1] ?? "");
  storeParameters(result, rest?.[2] ?? "");
  return result;
}

interface HostList {
  readonly hosts: string;
  readonly ports: string;
  /** Where in the URI the list ends. */
  readonly end: number;
}

function readHosts(uri: string, start: number): HostList {
  const hosts: string[] = [];
  const ports: string[] = [];
  let position = start;
  for (;;) {
    const bracketed = uri[position] === "[";
    const host = bracketed ? readBracketedHost(uri, position) : matchAt(uri, position, /[^:/?,]*/y);
    position += bracketed ? host.length + 2 : host.length;
    const port = uri[position] === ":" ? matchAt(uri, position + 1, /[^/?,]*/y) : null;
    position += port === null ? 0 : port.length + 1;
    hosts.push(host);
    ports.push(port ?? "");
    if (uri[position] !== ",") return { hosts: hosts.join(","), ports: ports.join(","), end: position };
    position += 1;
  }
}

function readBracketedHost(uri: string, position: number): string {
  const shown = maskConninfoUri(uri);
  const close = uri.indexOf("]", position);
  if (close < 0) {
    throw new ConninfoError(
      `end of string reached when looking for matching "]" in IPv6 host address in URI: "${shown}"`,
    );
  }
  if (close === position + 1)
    throw new ConninfoError(`IPv6 host address may not be empty in URI: "${shown}"`);
  const next = uri[close + 1];
  if (next !== undefined && !":/?,".includes(next)) {
    throw new ConninfoError(
      `unexpected character "${next}" at position ${close + 2} in URI (expected ":" or "/"): "${shown}"`,
    );
  }
  return uri.slice(position + 1, close);
}

function matchAt(text: string, position: number, pattern: RegExp): string {
  pattern.lastIndex = position;
  return pattern.exec(text)?.[0] ?? "";
}

function storeParameters(result: Map<string, string>, query: string): void {
  if (query === "") return;
  const parameters = query.split("&");
  if (parameters.at(-1) === "") parameters.pop();
  for (const parameter of parameters) {
    const [rawKeyword = "", rawValue, ...extra] = parameter.split("=");
    if (extra.length > 0) {
      throw new ConninfoError(`extra key/value separator "=" in URI query parameter: "${rawKeyword}"`);
    }
    if (rawValue === undefined) {
      throw new ConninfoError(`missing key/value separator "=" in URI query parameter: "${rawKeyword}"`);
    }
    const keyword = decodePercent(rawKeyword, false);
    const value = decodePercent(rawValue, isSecretKeyword(keyword));
    const known =
      keyword === "ssl" && value === "true"
        ? storeConninfoValue(result, "sslmode", "require")
        : storeConninfoValue(result, keyword, value);
    if (!known) throw new ConninfoError(`invalid URI query parameter: "${keyword}"`);
  }
}

function decodePercent(text: string, secret: boolean): string {
  if (!text.includes("%")) return text;
  const shown = secret ? SECRET_MASK : text;
  const bytes: Buffer[] = [];
  for (const piece of text.match(/%[0-9A-Fa-f]{2}|%|[^%]+/g) ?? []) {
    if (piece === "%") throw new ConninfoError(`invalid percent-encoded token: "${shown}"`);
    if (piece === "%00") throw new ConninfoError(`forbidden value %00 in percent-encoded value: "${shown}"`);
    bytes.push(piece.startsWith("%") ? Buffer.from(piece.slice(1), "hex") : Buffer.from(piece));
  }
  return Buffer.concat(bytes).toString();
}

/** Hides the secrets of a URI, also of a malformed one: rather too much than a part of a password with `@` or `/`. */
export function maskConninfoUri(uri: string): string {
  const hasPassword = /^[^:/]*:\/\/[^:@/]*:[^@/]*@/.test(uri);
  const password = hasPassword ? /^([^:]*:\/\/[^:]*:).*@/s : /^([^:]*:\/\/[^:@/?]*:)(?!\d*[,/?]).*@/s;
  return uri
    .replace(password, `$1${SECRET_MASK}@`)
    .replace(/([?&])([^=&]*)=([^&]*)/g, (whole: string, separator: string, keyword: string) =>
      isSecretKeyword(safeDecode(keyword)) ? `${separator}${keyword}=${SECRET_MASK}` : whole,
    );
}

function safeDecode(text: string): string {
  try {
    return decodePercent(text, false);
  } catch {
    return text;
  }
}
