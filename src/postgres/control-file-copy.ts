import { join } from "node:path";
import {
  emptyDirectory,
  makeDirectory,
  makeTemporaryDirectory,
  readFileIfThere,
  removeEmptyDirectory,
  replaceFile,
} from "../system/directories.js";
import type { Processes } from "../system/processes.js";
import { readControlFile, type ControlFileReading } from "./control-file.js";
import { fileModeFor } from "./data-directory.js";

/** Since this version pg_rewind writes pg_control last; an older one empties it early and copies the source's. */
export const WRITES_CONTROL_LAST_SINCE = 14;

const placeIn = (dataDirectory: string): string => join(dataDirectory, "global", "pg_control");

/** The bytes of pg_control in base64. Throws the file system's error. */
export async function copyControlFile(dataDirectory: string): Promise<string> {
  const text = await readFileIfThere(placeIn(dataDirectory), "latin1");
  return Buffer.from(text ?? "", "latin1").toString("base64");
}

/** Puts a copy back in its place. Throws the file system's error. */
export async function restoreControlFile(dataDirectory: string, copy: string): Promise<void> {
  await replaceFile(placeIn(dataDirectory), Buffer.from(copy, "base64"), await fileModeFor(dataDirectory));
}

/** What pg_controldata says of a copy. */
export async function readControlFileCopy(
  processes: Processes,
  { binDirectory, copy }: { readonly binDirectory: string; readonly copy: string },
): Promise<ControlFileReading> {
  const directory = await makeTemporaryDirectory("tsrepmgr-control-");
  try {
    await makeDirectory(join(directory, "global"), 0o700);
    await replaceFile(placeIn(directory), Buffer.from(copy, "base64"), 0o600);
    return await readControlFile(processes, { binDirectory, dataDirectory: directory });
  } finally {
    await emptyDirectory(directory);
    await removeEmptyDirectory(directory);
  }
}
