export type Ssh2 = typeof import("ssh2");

/** Loads ssh2, which takes as long as a whole command without SSH. Node knows only some of its exports by name. */
export async function loadSsh2(): Promise<Ssh2> {
  const loaded: Ssh2 & { readonly default?: Ssh2 } = await import("ssh2");
  return loaded.default ?? loaded;
}
