import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./run-command.js";

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A self-made authority in `directory`. */
export async function createAuthority(directory: string, name: string): Promise<CertificateFiles> {
  const files = { certificate: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
  await runCommand("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...["-subj", `/CN=${name}`, "-keyout", files.key, "-out", files.certificate],
  ]);
  return files;
}

/** A certificate for `commonName` and the alternative names (`DNS:n1`, `IP:127.0.0.1`), signed by `authority`. */
export async function issueCertificate(
  authority: CertificateFiles,
  directory: string,
  names: {
    readonly commonName: string;
    readonly alternatives?: readonly string[];
    readonly passphrase?: string;
  },
): Promise<CertificateFiles> {
  const base = join(directory, names.commonName);
  const files = { certificate: `${base}.crt`, key: `${base}.key` };
  const extensions = `${base}.ext`;
  await writeFile(
    extensions,
    names.alternatives === undefined ? "" : `subjectAltName=${names.alternatives.join(",")}\n`,
  );
  await runCommand("openssl", [
    ...[
      "req",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-subj",
      `/CN=${names.commonName}`,
    ],
    ...["-keyout", files.key, "-out", `${base}.csr`],
    ...(names.passphrase === undefined ? ["-nodes"] : ["-passout", `pass:${names.passphrase}`]),
  ]);
  await runCommand("openssl", [
    ...[
      "x509",
      "-req",
      "-in",
      `${base}.csr`,
      "-days",
      "2",
      "-CA",
      authority.certificate,
      "-CAkey",
      authority.key,
    ],
    ...["-CAcreateserial", "-extfile", extensions, "-out", files.certificate],
  ]);
  await chmod(files.key, 0o600);
  return files;
}
