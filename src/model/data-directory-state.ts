/** What lies at the place of a data directory, as far as it matters before something is written there. */
export type DataDirectoryState =
  | {
      readonly kind: "absent";
      /** The nearest directory above that is there. */
      readonly ancestor: string;
      readonly isAncestorWritable: boolean;
    }
  | {
      readonly kind: "directory";
      readonly realPath: string;
      readonly entries: readonly string[];
      /** Contains PG_VERSION. */
      readonly isDataDirectory: boolean;
      readonly isWritable: boolean;
      /** Belongs to the user that runs this program: PostgreSQL refuses any other. */
      readonly isOwn: boolean;
      /** The server that runs on it; null when none does; `unknown` when postmaster.pid is there and tells nothing. */
      readonly serverPid: number | "unknown" | null;
    }
  | { readonly kind: "dangling-link" }
  | { readonly kind: "not-a-directory" }
  | { readonly kind: "unreadable"; readonly reason: string };
