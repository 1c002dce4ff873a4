import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Less is not worth a call; who writes the files flushes all of them in the end. */
const WORTH_FLUSHING_BYTES = 1024 * 1024;

/**
 * Looks into directories that another process fills: each call answers the large files that have come or grown since the
 * one before.
 */
export function watchGrowingFiles(directories: readonly string[]): () => Promise<readonly string[]> {
  const finished = new Set<string>();
  const sizes = new Map<string, number>();
  const isLargeAndGrown = async (path: string): Promise<boolean> => {
    const before = sizes.get(path);
    const size = await readSize(path);
    if (size === before || size === null) {
      sizes.delete(path);
      finished.add(path);
      return false;
    }
    sizes.set(path, size);
    return size >= WORTH_FLUSHING_BYTES;
  };
  return async () => {
    for (const path of await listFiles(directories))
      if (!finished.has(path) && !sizes.has(path)) sizes.set(path, -1);
    const grown: string[] = [];
    for (const path of [...sizes.keys()]) if (await isLargeAndGrown(path)) grown.push(path);
    return grown;
  };
}

/** Sends a file to the disk, if it is still there. Throws the file system's error when it cannot be stored. */
export async function flushFile(path: string): Promise<void> {
  const file = await open(path).catch(() => null);
  if (file === null) return;
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function listFiles(directories: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(
    directories.map(async (directory) => {
      // What is renamed or removed meanwhile is looked for in vain.
      const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    }),
  );
  return lists.flat();
}

const readSize = (path: string): Promise<number | null> =>
  stat(path).then(
    ({ size }) => size,
    () => null,
  );
