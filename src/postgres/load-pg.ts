/** Each `import` of a bundle would make another copy of its exports. */
function loadOnce<Module>(load: () => Promise<Module>): () => Promise<Module> {
  let loading: Promise<Module> | null = null;
  return () => (loading ??= load());
}

/** pg's client, loaded with the first session. */
export const loadClient = loadOnce(() => import("pg/lib/client.js"));

/** What the client is built on: the messages of the protocol, without queries. */
export const loadConnection = loadOnce(() => import("pg/lib/connection.js"));
