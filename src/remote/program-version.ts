/** What `--version` of the program on another node tells. */
export interface ProgramVersion {
  /** Ours, or the reference itself. */
  readonly product: "tsrepmgr" | "repmgr";
  /** The product's own: `0.1.0`, `5.5.0`. */
  readonly version: string;
  /** The release of repmgr whose command line it understands. */
  readonly referenceVersion: string;
}

/** Reads the output of `--version`, of our program under both its names and of repmgr; null for anything else. */
export function parseProgramVersion(text: string): ProgramVersion | null {
  const ours = /^tsrepmgr (\S+) \(compatible with repmgr (\d[\w.]*)\)/m.exec(text);
  if (ours?.[1] !== undefined && ours[2] !== undefined) {
    return { product: "tsrepmgr", version: ours[1], referenceVersion: ours[2] };
  }
  const [, reference, version] = /^repmgr (\d+(?:\.\w+)+)(?: \(tsrepmgr (\S+)\))?/m.exec(text) ?? [];
  if (reference === undefined) return null;
  if (version === undefined) return { product: "repmgr", version: reference, referenceVersion: reference };
  return { product: "tsrepmgr", version, referenceVersion: reference };
}
