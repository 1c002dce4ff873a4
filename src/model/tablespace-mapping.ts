/** Where a tablespace of the source is to lie on this host. */
export interface TablespaceMapping {
  readonly oldDirectory: string;
  readonly newDirectory: string;
}
