import { readFileSync, statSync } from "node:fs";

/** A file whose permissions matter, such as one with passwords or a private key. */
export type OwnedFile =
  | { readonly kind: "file"; readonly content: Buffer; readonly mode: number; readonly ownerId: number }
  | { readonly kind: "absent" }
  | { readonly kind: "not-a-file" }
  | { readonly kind: "unreadable"; readonly reason: string };

/**
 * Reads a regular file together with its permission bits and its owner. At once: for so small a file starting Node's
 * thread pool takes many times longer.
 */
export async function readOwnedFile(path: string): Promise<OwnedFile> {
  try {
    const facts = statSync(path);
    if (!facts.isFile()) return { kind: "not-a-file" };
    return { kind: "file", content: readFileSync(path), mode: facts.mode & 0o7777, ownerId: facts.uid };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "absent" };
    const words = /^\w+: ([^,]+)/.exec(message)?.[1] ?? message;
    return { kind: "unreadable", reason: words.charAt(0).toUpperCase() + words.slice(1) };
  }
}
