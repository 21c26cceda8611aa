// Requests to this service, and what it answers.

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
 * @param {{ query?: Iterable<string[]>, headers?: Record<string, string>, body?: BodyInit, signal?: AbortSignal, anyStatus?: boolean }} options
 * @returns {Promise<{ status: number, headers: [string, string][], text: string, json: any, durationMs: number }>}
 */
export async function request(method, path, { query, headers, body, signal, anyStatus = false } = {}) {
  const search = query ? String(new URLSearchParams([...query])) : "";
  const begun = performance.now();
  const answer = await fetch(search ? `${path}?${search}` : path, {
    method,
    headers,
    body,
    signal,
    cache: "no-store",
    redirect: "error",
  }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Error("The service cannot be reached.");
  });
  const text = await answer.text();
  const result = {
    status: answer.status,
    headers: [...answer.headers],
    text,
    json: parsed(text),
    durationMs: performance.now() - begun,
  };
  if (!answer.ok && !anyStatus) throw new RequestError(answer.status, wordsOf(result));
  return result;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const wordsOf = ({ text, json }) => json?.message ?? json?.error?.message ?? text.slice(0, 1000);
