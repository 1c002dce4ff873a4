/** A regular file of another host, or why it could not be read there. */
export type RemoteFile =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly content: Uint8Array;
      /** Permission bits, 0o640. */
      readonly mode: number;
      /** Names there, or numbers where there is no name. */
      readonly owner: string;
      readonly group: string;
    }
  | { readonly kind: "unreadable"; readonly path: string; readonly reason: string };
