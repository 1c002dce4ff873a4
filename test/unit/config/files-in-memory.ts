import { posix } from "node:path";
import type { FileAccess, Files } from "../../../src/system/files.js";

const missing = { ok: false, code: "ENOENT", reason: "No such file or directory" } as const;

/** Files by absolute path; a content that is not text stands for the failure of opening it. */
export function filesInMemory(
  contents: Readonly<Record<string, string | Uint8Array | FileAccess<never>>>,
): Files {
  const paths = Object.keys(contents);
  return {
    readFile: (path) => {
      const content = contents[path];
      if (content === undefined) return missing;
      if (typeof content === "string") return { ok: true, value: Buffer.from(content) };
      return content instanceof Uint8Array ? { ok: true, value: content } : content;
    },
    readDirectory: (directory) => {
      const inside = paths.filter((path) => path.startsWith(`${directory}/`));
      const names = new Set(inside.map((path) => path.slice(directory.length + 1).split("/")[0] ?? ""));
      if (inside.length === 0) return missing;
      const isDirectory = (name: string): boolean => !(posix.join(directory, name) in contents);
      return { ok: true, value: [...names].map((name) => ({ name, isDirectory: isDirectory(name) })) };
    },
    realPath: (path) => ({ ok: true, value: path.replace("/link", "/real") }),
    exists: (path) => path in contents,
  };
}
