/** Version of the shape of every JSON document; it grows when a member is removed or changes its meaning. */
const JSON_SCHEMA_VERSION = 1;

/** A JSON document with stable layout and a newline at its end. Its members are named in snake_case. */
export function renderJsonDocument(value: object): string {
  return `${JSON.stringify({ schema_version: JSON_SCHEMA_VERSION, ...value }, null, 2)}\n`;
}

/** The same document on one line, for a stream of documents. */
export function renderJsonLine(value: object): string {
  return `${JSON.stringify({ schema_version: JSON_SCHEMA_VERSION, ...value })}\n`;
}
