/** What schema `repmgr` looks like on a server. */
export interface SchemaState {
  readonly exists: boolean;
  /** `5.3` when the schema belongs to the reference's extension. */
  readonly extensionVersion: string | null;
  /** The number of our own upgrades that it has; null when the schema is not ours. */
  readonly ourVersion: number | null;
  /** Columns that every command relies on and that are not there, as `nodes.priority`. */
  readonly missingColumns: readonly string[];
}
