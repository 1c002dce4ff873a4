import type { TablespaceMapping } from "../model/tablespace-mapping.js";

/** Reads `OLD=NEW`, where `\=` stands for an equals sign in a directory name; a string says what is wrong. */
export function readTablespaceMapping(text: string): TablespaceMapping | string {
  const parts = text.split(/(?<!\\)=/).map((part) => part.replaceAll("\\=", "="));
  const [oldDirectory = "", newDirectory = "", ...surplus] = parts;
  if (surplus.length > 0) return `multiple "=" signs in tablespace mapping "${text}"`;
  if (oldDirectory !== "" && newDirectory !== "") return { oldDirectory, newDirectory };
  return `invalid tablespace mapping format "${text}", must be "OLDDIR=NEWDIR"`;
}
