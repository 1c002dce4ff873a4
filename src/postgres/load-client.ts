let loading: Promise<typeof import("pg/lib/client.js")> | null = null;

/** pg's client, loaded with the first session. Each `import` of a bundle would make another copy of its exports. */
export const loadClient = (): Promise<typeof import("pg/lib/client.js")> =>
  (loading ??= import("pg/lib/client.js"));
