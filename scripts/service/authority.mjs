// A certificate authority for this machine, and the service's certificate that it signs.
//
// Both are made on the first run and kept: who trusts the authority once goes on trusting it. `@peculiar/x509` writes
// the certificates: of the libraries that do, it is the one that is maintained, needs no OpenSSL, and writes the key
// identifiers without which OpenSSL's strict mode (Python's default) refuses a chain.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createPrivateKey, KeyObject, webcrypto, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { Problem } from "../terminal.mjs";
import { privateFolder, writePrivate } from "./folder.mjs";

const DAY_MS = 24 * 60 * 60_000;
const AUTHORITY_DAYS = 3_650;
/** Apple's systems take no more than 825. */
const CERTIFICATE_DAYS = 397;
const RENEWED_BEFORE_DAYS = 30;
/** Clocks differ: a certificate is valid since a while ago. */
const BACKDATED_MS = DAY_MS;

const ALWAYS = ["localhost", "127.0.0.1", "::1"];
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

x509.cryptoProvider.set(webcrypto);

/**
 * Where the certificate is that clients have to trust.
 * @param {string} state
 */
export const authorityFile = (state) => join(state, "tls", "authority.pem");

/**
 * The files of the certificate that the authority signs.
 * @param {string} state
 */
export const serviceFiles = (state) => ({
  cert: join(state, "tls", "service.pem"),
  key: join(state, "tls", "service-key.pem"),
});

/**
 * The service's certificate and key, as PEM, for `localhost` and `host`: those in the state folder, or new ones where
 * they are for other names or end soon. `now` is in milliseconds.
 * @param {{ state: string, host: string }} options
 * @param {number} [now]
 */
export async function certificateFor({ state, host }, now = Date.now()) {
  const folder = privateFolder(join(state, "tls"));
  const { key: keyFile, cert: certificateFile } = serviceFiles(state);
  const authority = await localAuthority(folder, now);
  const names = [...new Set([...ALWAYS, host])];
  if (existsSync(keyFile) && existsSync(certificateFile)) {
    const kept = { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certificateFile, "utf8") };
    if (isGood(kept, authority, names, now)) return kept;
  }
  const made = await makeCertificate(authority, names, now);
  writePrivate(keyFile, made.key);
  writePrivate(certificateFile, made.cert);
  return made;
}

/**
 * @param {{ key: string, cert: string }} options
 * @param {{ key: string, cert: string }} authority
 * @param {string[]} names
 * @param {number} now
 */
function isGood({ key, cert }, authority, names, now) {
  const certificate = isPair({ key, cert }) && new X509Certificate(cert);
  if (!certificate) return false;
  /** @param {string} name */
  const has = (name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined;
  return (
    certificate.verify(new X509Certificate(authority.cert).publicKey) &&
    certificate.validToDate.getTime() - now > RENEWED_BEFORE_DAYS * DAY_MS &&
    names.every(has)
  );
}

/**
 * @param {string} folder
 * @param {number} now
 */
async function localAuthority(folder, now) {
  const [keyFile, certificateFile] = ["authority-key.pem", "authority.pem"].map((name) => join(folder, name));
  if (existsSync(keyFile) && existsSync(certificateFile)) {
    const kept = { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certificateFile, "utf8") };
    if (!isPair(kept)) {
      throw new Problem(
        `${folder} does not hold the certificate authority that was made there. Remove the folder, and the next start makes another one.`,
      );
    }
    // It has to outlive what it signs.
    if (new X509Certificate(kept.cert).validToDate.getTime() - now > CERTIFICATE_DAYS * DAY_MS) return kept;
  }
  const made = await makeAuthority(now);
  writePrivate(keyFile, made.key);
  writePrivate(certificateFile, made.cert);
  return made;
}

/**
 * Whether these are a certificate and its key.
 * @param {{ key: string, cert: string }} options
 */
function isPair({ key, cert }) {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** @param {number} now */
async function makeAuthority(now) {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const usages = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ O: ["webpubsub-edge"] }, { CN: [`Local authority of ${hostname()}`] }],
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(usages, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { key: pem(keys.privateKey), cert: `${certificate.toString("pem")}\n` };
}

/**
 * @param {{ key: string, cert: string }} authority
 * @param {string[]} names
 * @param {number} now
 */
async function makeCertificate(authority, names, now) {
  const issuer = new x509.X509Certificate(authority.cert);
  const signingKey = createPrivateKey(authority.key).toCryptoKey(ALGORITHM, false, ["sign"]);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [ALWAYS[0]] }],
    issuer: issuer.subjectName,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + CERTIFICATE_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? "ip" : "dns", value }))),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { key: pem(keys.privateKey), cert: `${certificate.toString("pem")}\n` };
}

/** @param {webcrypto.CryptoKey} key */
const pem = (key) => KeyObject.from(key).export({ type: "pkcs8", format: "pem" });
