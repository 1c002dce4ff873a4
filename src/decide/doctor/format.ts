const MEBIBYTE = 1024 * 1024;

/** `512 MB`, `12.3 GB`, as PostgreSQL counts them. */
export function formatMebibytes(bytes: number): string {
  const mebibytes = bytes / MEBIBYTE;
  return mebibytes < 1024 ? `${Math.round(mebibytes)} MB` : `${(mebibytes / 1024).toFixed(1)} GB`;
}

/** Where a hint is to be followed. */
export const at = ({ nodeName }: { readonly nodeName: string }, command: string): string =>
  `on "${nodeName}": ${command}`;
