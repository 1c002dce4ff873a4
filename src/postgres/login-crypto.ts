import { createHash, createHmac, pbkdf2, randomBytes as drawBytes } from "node:crypto";

/**
 * What pg needs for a login; the build puts it in the place of pg's own `crypto/utils`, which spends seven jobs of
 * Node's thread pool on a login and loads WebCrypto even where the server wants no password.
 */

/** A standby has its primary's salt, so that one derivation, the dear part of a login, serves a whole cluster. */
const derivedKeys = new Map<string, Promise<Buffer>>();

export function deriveKey(password: string, salt: Buffer, iterations: number): Promise<Buffer> {
  const name = `${iterations} ${salt.toString("base64")} ${password}`;
  const key = derivedKeys.get(name) ?? derive(password, salt, iterations);
  derivedKeys.set(name, key);
  return key;
}

/** In the thread pool, because a server may ask for any number of iterations. */
function derive(password: string, salt: Buffer, iterations: number): Promise<Buffer> {
  return new Promise((fulfil, reject) => {
    pbkdf2(password, salt, iterations, 32, "sha256", (error, key) => {
      if (error === null) fulfil(key);
      else reject(error);
    });
  });
}

export const randomBytes = (length: number): Buffer => drawBytes(length);

export const hmacSha256 = (key: Buffer, message: string): Buffer =>
  createHmac("sha256", key).update(message).digest();

export const sha256 = (data: Buffer): Buffer => createHash("sha256").update(data).digest();

/** `name` as in certificates: SHA-256, SHA-384 … */
export const hashByName = (name: string, data: Buffer): Buffer =>
  createHash(name.replace("-", "")).update(data).digest();

export const md5 = (data: string | Buffer): string => createHash("md5").update(data).digest("hex");

/** The answer to PostgreSQL's authentication method md5. */
export const postgresMd5PasswordHash = (user: string, password: string, salt: Buffer): string =>
  `md5${md5(Buffer.concat([Buffer.from(md5(password + user)), salt]))}`;
