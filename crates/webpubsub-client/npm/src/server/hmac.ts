// HMAC-SHA256 with an access key. A key is used as text: it is not base64 to be decoded.

/** A key that signs. */
export type SigningKey = ReturnType<typeof signingKey>;

/** Imports an access key. */
export function signingKey(accessKey: string) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", bytes(accessKey), algorithm, false, ["sign", "verify"]);
}

/** Signs a text. */
export async function sign(key: SigningKey, text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", await key, bytes(text)));
}

/** Whether a signature is a text's by this key, in constant time. */
export async function verify(key: SigningKey, signature: Uint8Array<ArrayBuffer>, text: string): Promise<boolean> {
  return crypto.subtle.verify("HMAC", await key, signature, bytes(text));
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
