/** A connection string that libpq would refuse; the message is libpq's, without any secret. */
export class ConninfoError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConninfoError";
  }
}

/** Every keyword that libpq 13 to 18 accepts, in the order of its option table. */
const conninfoKeywords: ReadonlySet<string> = new Set([
  ..."service servicefile user password passfile channel_binding connect_timeout dbname host hostaddr port".split(
    " ",
  ),
  ..."client_encoding options application_name fallback_application_name keepalives keepalives_idle".split(
    " ",
  ),
  ..."keepalives_interval keepalives_count tcp_user_timeout sslmode sslnegotiation sslcompression".split(" "),
  ..."sslcert sslkey sslkeylogfile sslcertmode sslpassword sslrootcert sslcrl sslcrldir sslsni".split(" "),
  ..."requirepeer require_auth min_protocol_version max_protocol_version ssl_min_protocol_version".split(" "),
  ..."ssl_max_protocol_version gssencmode krbsrvname gsslib gssdelegation replication".split(" "),
  ..."target_session_attrs load_balance_hosts scram_client_key scram_server_key oauth_issuer".split(" "),
  ..."oauth_client_id oauth_client_secret oauth_scope".split(" "),
]);

const secretKeywords: ReadonlySet<string> = new Set([
  "password",
  "sslpassword",
  "scram_client_key",
  "scram_server_key",
  "oauth_client_secret",
]);

export const SECRET_MASK = "*****";

function isConninfoKeyword(keyword: string): boolean {
  return conninfoKeywords.has(keyword);
}

export function isSecretKeyword(keyword: string): boolean {
  return secretKeywords.has(keyword);
}

/**
 * Stores one value as libpq does: the historical `requiressl` becomes `sslmode`. Returns false for an unknown keyword.
 */
export function storeConninfoValue(target: Map<string, string>, keyword: string, value: string): boolean {
  if (keyword === "requiressl") {
    target.set("sslmode", value.startsWith("1") ? "require" : "prefer");
    return true;
  }
  if (!isConninfoKeyword(keyword)) return false;
  target.set(keyword, value);
  return true;
}
