import { createHash, createHmac, pbkdf2, randomBytes as makeRandomBytes } from "node:crypto";

/**
 * What pg computes for a login, under the names of its `lib/crypto/utils.js`, which the build replaces with this module.
 * pg uses Node's web cryptography, which takes longer to load than a login takes; and all nodes of a cluster have one
 * role with one salt, so that its key, some thousand rounds of a hash, is derived once for all of them.
 */

/** Keys by a digest of password, salt and rounds; of one process that connects to a cluster there is one, or a few. */
const derived = new Map<string, Promise<Buffer>>();
const KEPT_KEYS = 16;

const KEY_BYTES = 32;

/** RFC 5802: Hi(password, salt, iterations) with SHA-256. Rejects when Node has no such hash. */
export function deriveKey(password: string, salt: Uint8Array, iterations: number): Promise<Buffer> {
  const name = sha256(
    Buffer.from(JSON.stringify([password, Buffer.from(salt).toString("base64"), iterations])),
  ).toString("base64");
  const known = derived.get(name);
  if (known !== undefined) return known;
  const key = new Promise<Buffer>((resolve, reject) => {
    pbkdf2(password, salt, iterations, KEY_BYTES, "sha256", (error, bytes) => {
      if (error === null) resolve(bytes);
      else reject(error);
    });
  });
  const [oldest] = derived.keys();
  if (oldest !== undefined && derived.size >= KEPT_KEYS) derived.delete(oldest);
  derived.set(name, key);
  key.catch(() => derived.delete(name));
  return key;
}

export const randomBytes = (length: number): Buffer => makeRandomBytes(length);

export const hmacSha256 = (key: Uint8Array, message: string): Buffer =>
  createHmac("sha256", key).update(message, "utf8").digest();

export const sha256 = (data: Uint8Array): Buffer => hashByName("sha256", data);

/** The digest of a server's certificate, for channel binding; `SHA-256` and `sha256` are the same to Node. */
export const hashByName = (name: string, data: Uint8Array): Buffer => createHash(name).update(data).digest();

/** The answer to AuthenticationMD5Password. */
export function postgresMd5PasswordHash(user: string, password: string, salt: Uint8Array): string {
  return `md5${md5(Buffer.concat([Buffer.from(md5(password + user)), salt]))}`;
}

export const md5 = (data: string | Uint8Array): string => createHash("md5").update(data).digest("hex");
