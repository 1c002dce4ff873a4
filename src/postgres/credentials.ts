import { readOwnedFile } from "../system/owned-file.js";

/** What an entry of a password file has to match. */
export interface PasswordFileKey {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly user: string;
}

export interface PasswordLookup {
  readonly password: string | null;
  /** Why the file was not used, in libpq's words. */
  readonly warning: string | null;
  /** libpq says nothing about a file that it may not open: it may be somebody else's home. */
  readonly isSilent: boolean;
}

/** Looks a password up by the rules of libpq: the first matching line counts, a file that others may read is ignored. */
export async function findPassword(passfile: string, key: PasswordFileKey): Promise<PasswordLookup> {
  const file = await readOwnedFile(passfile);
  const refuse = (warning: string | null, isSilent = false): PasswordLookup => ({
    password: null,
    warning,
    isSilent,
  });
  switch (file.kind) {
    case "absent":
      return refuse(null);
    case "not-a-file":
      return refuse(`password file "${passfile}" is not a plain file`);
    case "unreadable":
      return refuse(`password file "${passfile}" cannot be read: ${file.reason}`, true);
    case "file":
  }
  if ((file.mode & 0o077) !== 0) {
    return refuse(
      `password file "${passfile}" has group or world access; permissions should be u=rw (0600) or less`,
    );
  }
  return { ...refuse(null), password: searchPasswordFile(file.content.toString(), key) };
}

/** Lines are `host:port:database:user:password`; `*` matches anything, a backslash takes a colon's meaning away. */
export function searchPasswordFile(text: string, key: PasswordFileKey): string | null {
  const wanted = [key.host, key.port, key.database, key.user];
  for (const line of text.split(/\r*\n/)) {
    if (line.startsWith("#")) continue;
    const fields = splitFields(line);
    const password = fields[wanted.length];
    if (password === undefined) continue;
    if (wanted.every((value, index) => fields[index] === "*" || unescape(fields[index] ?? "") === value)) {
      return unescape(password);
    }
  }
  return null;
}

function splitFields(line: string): readonly string[] {
  const fields: string[] = [];
  let field = "";
  for (const piece of line.match(/\\[^]|[^]/g) ?? []) {
    if (piece === ":") {
      fields.push(field);
      field = "";
    } else {
      field += piece;
    }
  }
  return [...fields, field];
}

function unescape(field: string): string {
  return field.replace(/\\([^])/g, "$1");
}
