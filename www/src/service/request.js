// Requests to this service, and what it answers.

/** How long an answer may take, in milliseconds. */
const LIMIT_MS = 60_000;

/** An answer that is no success, in the service's own words where it has some. */
export class RequestError extends Error {
  constructor(status, words) {
    super(words || `The service answered ${status}.`);
    this.name = "RequestError";
    this.status = status;
  }
}

/**
 * Asks the service that this page came from, and reads the whole answer.
 *
 * @param {string} method
 * @param {string} path
 * @param {{ query?: Iterable<string[]>, headers?: Record<string, string>, body?: BodyInit, anyStatus?: boolean }} options
 * @returns {Promise<{ status: number, headers: [string, string][], text: string, json: any, durationMs: number }>}
 */
export async function request(method, path, { query, headers, body, anyStatus = false } = {}) {
  const search = query ? String(new URLSearchParams([...query])) : "";
  const begun = performance.now();
  const { status, headers: answered, text } = await ask(search ? `${path}?${search}` : path, { method, headers, body });
  const durationMs = performance.now() - begun;
  const result = { status, headers: answered, text, json: parsed(text), durationMs };
  if ((status < 200 || status > 299) && !anyStatus) throw new RequestError(status, wordsOf(result));
  return result;
}

/** @returns {Promise<{ status: number, headers: [string, string][], text: string }>} */
async function ask(url, init) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), LIMIT_MS);
  try {
    const answer = await fetch(url, { ...init, signal: limit.signal, cache: "no-store", redirect: "error" });
    return { status: answer.status, headers: [...answer.headers], text: await answer.text() };
  } catch {
    throw new Error(
      limit.signal.aborted
        ? "The service has not answered within a minute. Try again, or look how busy it is."
        : "The service cannot be reached. Look whether it runs, and try again.",
    );
  } finally {
    clearTimeout(timer);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const wordsOf = ({ text, json }) => json?.message ?? json?.error?.message ?? text.slice(0, 1000);
