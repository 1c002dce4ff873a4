import { chmod, copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type CertificateFiles, createAuthority, issueCertificate } from "../../harness/certificates.js";
import { createPrimary, newDirectory, testPassword, type TestServer } from "../../harness/postgres-server.js";
import { askPsql } from "../../harness/psql.js";
import { askOnce, refusalOf } from "./attempts.js";
import { listenInTheMiddle, portOf } from "./man-in-the-middle.js";

let directory: string;
let authority: CertificateFiles;
let stranger: CertificateFiles;
let client: CertificateFiles;
let encryptedClient: CertificateFiles;
let server: TestServer;
let wrongName: TestServer;
let plain: TestServer;
let base: string;

const isEncrypted = "(SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid())";

async function createSslServer(
  name: string,
  certificate: CertificateFiles,
  hba: readonly string[],
): Promise<TestServer> {
  return createPrimary({
    name,
    settings: {
      ssl: "on",
      ssl_cert_file: certificate.certificate,
      ssl_key_file: certificate.key,
      ssl_ca_file: authority.certificate,
    },
    hba,
  });
}

beforeAll(async () => {
  directory = await newDirectory("certificates");
  authority = await createAuthority(directory, "authority");
  stranger = await createAuthority(directory, "stranger");
  client = await issueCertificate(authority, directory, { commonName: "repmgr" });
  encryptedClient = await issueCertificate(authority, await newDirectory("encrypted"), {
    commonName: "repmgr",
    passphrase: testPassword,
  });
  const good = await issueCertificate(authority, directory, {
    commonName: "good",
    alternatives: ["DNS:localhost", "IP:127.0.0.1"],
  });
  const bad = await issueCertificate(authority, directory, {
    commonName: "elsewhere",
    alternatives: ["DNS:elsewhere"],
  });
  [server, wrongName, plain] = await Promise.all([
    createSslServer("tls", good, [
      "hostssl repmgr repmgr 127.0.0.1/32 scram-sha-256",
      "hostssl postgres repmgr 127.0.0.1/32 cert",
      "hostnossl template1 repmgr 127.0.0.1/32 scram-sha-256",
    ]),
    createSslServer("wrong-name", bad, ["hostssl all all 127.0.0.1/32 scram-sha-256"]),
    createPrimary({ name: "plain", hba: ["host all all 127.0.0.1/32 scram-sha-256"] }),
  ]);
  base = `host=127.0.0.1 port=${server.port} user=repmgr`;
});

describe("sslmode", () => {
  it.each([
    ["is prefer by default and satisfies a pg_hba.conf of hostssl lines", "dbname=repmgr", true],
    ["prefer goes back to plain text for a hostnossl line", "dbname=template1", false],
    ["allow goes on to TLS for a hostssl line", "dbname=repmgr sslmode=allow", true],
    ["allow needs no TLS for a hostnossl line", "dbname=template1 sslmode=allow", false],
    ["require encrypts", "dbname=repmgr sslmode=require", true],
    ["require with channel binding encrypts", "dbname=repmgr sslmode=require channel_binding=require", true],
  ])("%s", async (_what, parameters, encrypted) => {
    expect(await askOnce(`${base} ${parameters}`, isEncrypted)).toBe(encrypted);
  });

  it("prefer works with a server that has no TLS", async () => {
    expect(await askOnce(plain.conninfo, isEncrypted)).toBe(false);
  });

  it.each([
    ["disable fails on a hostssl line", "dbname=repmgr sslmode=disable"],
    ["prefer shows both refusals when neither way is allowed", "dbname=nowhere"],
    ["prefer shows a wrong password twice", "dbname=repmgr password=wrong"],
    ["channel binding cannot be had without TLS", "dbname=template1 sslmode=disable channel_binding=require"],
    ["require_auth refuses another method", "dbname=repmgr require_auth=md5"],
  ])("%s", async (_what, parameters) => {
    const refusal = await refusalOf(`${base} ${parameters}`);
    const fromPsql = await askPsql(`${base} ${parameters}`);
    // libpq before 16 does not know require_auth.
    if (fromPsql?.includes("invalid connection option") !== true) expect(refusal.message).toBe(fromPsql);
    expect(refusal.kind).toBe("rejected");
  });
});

describe("sslmode=verify-full", () => {
  const verifying = (port: number, host = "127.0.0.1"): string =>
    `host=${host} port=${port} user=repmgr dbname=repmgr sslmode=verify-full`;

  it.each([["127.0.0.1"], ["localhost"]])("accepts %s with the right authority", async (host) => {
    const conninfo = `${verifying(server.port, host)} hostaddr=127.0.0.1 sslrootcert=${authority.certificate}`;
    expect(await askOnce(conninfo, isEncrypted)).toBe(true);
  });

  it("finds the authority in ~/.postgresql/root.crt", async () => {
    const home = await newDirectory("home");
    await mkdir(join(home, ".postgresql"));
    await copyFile(authority.certificate, join(home, ".postgresql", "root.crt"));
    const environment = { variables: { PGPASSWORD: testPassword }, homeDirectory: home };
    expect(await askOnce(verifying(server.port), isEncrypted, environment)).toBe(true);
  });

  it("refuses another authority with the reason of the certificate", async () => {
    const conninfo = `${verifying(server.port)} sslrootcert=${stranger.certificate}`;
    const refusal = await refusalOf(conninfo);
    expect(refusal.kind).toBe("tls");
    expect(refusal.message).toMatch(
      /^connection to server at "127\.0\.0\.1", port \d+ failed: SSL error: certificate verify failed: self-signed certificate in certificate chain$/,
    );
    expect(refusal.message.startsWith((await askPsql(conninfo)) ?? "-")).toBe(true);
    expect(refusal.hint).toContain("sslrootcert");
  });

  it("refuses a certificate for another host, which verify-ca accepts", async () => {
    const conninfo = `${verifying(wrongName.port)} sslrootcert=${authority.certificate}`;
    const refusal = await refusalOf(conninfo);
    expect(refusal.message).toContain(
      'server certificate for "elsewhere" does not match host name "127.0.0.1"',
    );
    // libpq counts the common name once more.
    expect((await askPsql(conninfo))?.replace(" (and 1 other name)", "")).toBe(refusal.message);
    expect(await askOnce(`${conninfo} sslmode=verify-ca`, isEncrypted)).toBe(true);
  });

  it("refuses to go without an authority", async () => {
    const refusal = await refusalOf(verifying(server.port));
    expect(refusal.kind).toBe("tls");
    expect(refusal.message).toMatch(/root certificate file ".*\/\.postgresql\/root\.crt" does not exist/);
    expect(refusal.hint).toContain('or name it with "sslrootcert"');
  });

  it("does not trust a self-made authority with sslrootcert=system, and then is the default", async () => {
    const conninfo = `${base} dbname=repmgr sslrootcert=system`;
    expect((await refusalOf(conninfo)).message).toContain("certificate verify failed");
    expect((await refusalOf(`${conninfo} sslmode=require`)).message).toContain('weak sslmode "require"');
  });

  it("is done for sslmode=require too as soon as there is an authority", async () => {
    const refusal = await refusalOf(
      `${base} dbname=repmgr sslmode=require sslrootcert=${stranger.certificate}`,
    );
    expect(refusal.message).toContain("certificate verify failed");
  });
});

describe("channel_binding", () => {
  it("exposes a man in the middle whose certificate nobody verifies", async () => {
    const middle = await listenInTheMiddle(server.port, stranger);
    const conninfo = `host=127.0.0.1 port=${portOf(middle)} user=repmgr dbname=repmgr sslmode=require`;
    expect((await refusalOf(conninfo)).message).toContain("SCRAM channel binding check failed");
    expect(await askOnce(`${conninfo} channel_binding=disable`, isEncrypted)).toBe(true);
    middle.close();
  });
});

describe("client certificates", () => {
  const withCertificate = (files: CertificateFiles, more = ""): string =>
    `${base} dbname=postgres sslmode=require sslcert=${files.certificate} sslkey=${files.key} ${more}`;

  it("log in without a password", async () => {
    expect(await askOnce(withCertificate(client), "current_user::text", { variables: {} })).toBe("repmgr");
  });

  it("are found in ~/.postgresql", async () => {
    const home = await newDirectory("home");
    await mkdir(join(home, ".postgresql"));
    await copyFile(client.certificate, join(home, ".postgresql", "postgresql.crt"));
    await copyFile(client.key, join(home, ".postgresql", "postgresql.key"));
    const environment = { variables: {}, homeDirectory: home };
    expect(await askOnce(`${base} dbname=postgres`, "current_user::text", environment)).toBe("repmgr");
  });

  it("may have an encrypted key", async () => {
    const conninfo = withCertificate(encryptedClient, `sslpassword='${testPassword}'`);
    expect(await askOnce(conninfo, "current_user::text", { variables: {} })).toBe("repmgr");
    const refusal = await refusalOf(withCertificate(encryptedClient, "sslpassword=wrong"), { variables: {} });
    expect(refusal.kind).toBe("tls");
  });

  it("that are missing are the server's refusal", async () => {
    const conninfo = `${base} dbname=postgres sslmode=require`;
    const refusal = await refusalOf(conninfo);
    expect(refusal.message).toBe(await askPsql(conninfo));
    expect(refusal.message).toContain("connection requires a valid client certificate");
  });

  it("need a key that only the user may read", async () => {
    const open = { certificate: client.certificate, key: join(directory, "open.key") };
    await copyFile(client.key, open.key);
    await chmod(open.key, 0o644);
    const refusal = await refusalOf(withCertificate(open));
    expect(refusal.message).toBe(await askPsql(withCertificate(open)));
    const missing = { certificate: client.certificate, key: join(directory, "missing.key") };
    expect((await refusalOf(withCertificate(missing))).message).toBe(await askPsql(withCertificate(missing)));
  });
});
