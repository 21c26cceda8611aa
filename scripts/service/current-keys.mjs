// The access keys that a service takes: those that it was started with, until they are regenerated.
import { requestToken } from "../access.mjs";

const KEYS = "/management/keys";
const SESSION = "/management/session";
const ANSWERED_WITHIN_MS = 10_000;

/** @typedef {{ primary: { key: string }, secondary: { key: string } | null }} Keys */

/**
 * The keys of a service, asked with one of them, or with the secret that operators sign in with; `undefined` where it
 * takes neither.
 * @param {{ url: string, key: string, secret?: string }} service
 * @returns {Promise<Keys | undefined>}
 */
export async function currentKeys({ url, key, secret }) {
  const ask = (/** @type {string} */ path, /** @type {RequestInit} */ options) =>
    fetch(`${url}${path}`, { ...options, redirect: "manual", signal: AbortSignal.timeout(ANSWERED_WITHIN_MS) });
  const show = async (/** @type {Record<string, string>} */ headers) => {
    const answer = await ask(`${KEYS}?reveal=1`, { headers });
    return answer.ok ? /** @type {Keys} */ (await answer.json()) : void (await answer.text());
  };
  const known = await show({ Authorization: `Bearer ${requestToken({ path: KEYS, minutes: 5 }, { url, key })}` });
  if (known || !secret) return known;
  const headers = { "X-Portal": "1" };
  const session = await ask(SESSION, { method: "POST", headers, body: JSON.stringify({ secret }) });
  await session.text();
  const [cookie] = session.headers.getSetCookie();
  return cookie ? show({ ...headers, Cookie: cookie.split(";")[0] }) : undefined;
}
