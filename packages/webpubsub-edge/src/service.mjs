// Asking a service on the command line's behalf: which one, and what its answers mean.
import { existsSync } from "node:fs";
import { requestToken } from "../../../scripts/access.mjs";
import { address } from "../../../scripts/address.mjs";
import { VARIABLE } from "../../../scripts/connection.mjs";
import { codeOf, messageOf } from "../../../scripts/errors.mjs";
import { addressOptions } from "../../../scripts/options.mjs";
import { Problem, UsageProblem } from "../../../scripts/terminal.mjs";
import { FAILED, NOT_ALLOWED, NOT_REACHED, NOT_THERE, USAGE } from "./exit-codes.mjs";
import { devVars } from "./paths.mjs";
import { typed } from "./typed.mjs";

/** What the REST API is asked under. */
const API_VERSION = "2024-12-01";
const ANSWERED_WITHIN_MS = 60_000;
/** How a command ends whose request is answered so; all other refusals are failures. */
const EXIT_CODES_BY_STATUS = new Map([
  [400, USAGE],
  [404, NOT_THERE],
]);

/** @import { AddressValues } from "../../../scripts/options.mjs" */

/**
 * Fails where a command's options and the working folder give no access key to any service.
 * @param {AddressValues} values
 */
export function checkKeyIsKnown(values, env = process.env) {
  if (values["connection-string"] !== undefined || values.deployed || env[VARIABLE] || env.WEBPUBSUB_ACCESS_KEY) return;
  if (existsSync(devVars)) return;
  throw new UsageProblem(
    `No service was started in this folder, so its access key is not known. Say which one you mean with --connection-string TEXT or ${VARIABLE} in the environment, or start one: ${typed("dev")}`,
  );
}

/**
 * What a request has beside its path.
 * @typedef {{ query?: string[][], body?: string | Uint8Array<ArrayBuffer>, type?: string }} Question
 */

/** The service that a command is for. */
export class Service {
  /** @param {AddressValues} values */
  constructor(values) {
    const { url, key } = address(addressOptions(values, process.env), "http");
    this.url = url;
    this.key = key;
  }

  /**
   * Asks the management API; gives the answer's JSON, or its text where it is not JSON.
   * @param {string} method
   * @param {string} path
   * @param {Question} options
   * @returns {Promise<any>}
   */
  manage(method, path, options = {}) {
    return this.#ask(method, `/management${path}`, options);
  }

  /**
   * Asks the REST API.
   * @param {string} method
   * @param {string} path
   * @param {Question} options
   */
  rest(method, path, { query = [], ...options } = {}) {
    return this.#ask(method, `/api${path}`, { ...options, query: [["api-version", API_VERSION], ...query] });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Question} options
   */
  async #ask(method, path, { query = [], body, type }) {
    const token = requestToken({ path, minutes: 5 }, this);
    const search = query.length > 0 ? `?${new URLSearchParams(query)}` : "";
    let answer, text;
    try {
      answer = await fetch(`${this.url}${path}${search}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, ...(type && { "Content-Type": type }) },
        body,
        redirect: "manual",
        signal: AbortSignal.timeout(ANSWERED_WITHIN_MS),
      });
      text = await answer.text();
    } catch (error) {
      throw notReached(this.url, error);
    }
    if (answer.ok) return isJson(answer) ? JSON.parse(text) : text;
    throw refusal(answer.status, text, this.url);
  }
}

/**
 * Why a service was not reached, in words.
 * @param {string} url
 * @param {unknown} error
 */
export function notReached(url, error) {
  const cause = causeOf(error);
  const isLate = error instanceof Error && error.name === "TimeoutError";
  const code = codeOf(cause) ?? (isLate ? "no answer in time" : messageOf(cause));
  if (/^[A-Z_]*(CERT|SIGNATURE|ISSUER)/.test(code))
    return new Problem(
      `The certificate of ${url} is signed by nobody that Node trusts (${code}): name the file of its authority in NODE_EXTRA_CA_CERTS.`,
      { exitCode: NOT_REACHED },
    );
  const how = /^(https?|wss?):\/\/(localhost|127\.|\[::1\])/.test(url) ? ` Start it: ${typed("dev")}` : "";
  return new Problem(`No service answers at ${url} (${code}).${how}`, { exitCode: NOT_REACHED });
}

/**
 * What fetch failed for: the first of several addresses' errors.
 * @param {unknown} error
 */
function causeOf(error) {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return (cause instanceof AggregateError && cause.errors[0]) || cause;
}

/**
 * What an answer that is no success means.
 * @param {number} status
 * @param {string} text
 * @param {string} url
 */
export function refusal(status, text, url) {
  const said = words(text) || `status ${status}`;
  if (status === 401 || status === 403)
    return new Problem(`The service at ${url} refuses the access key: ${said}`, { exitCode: NOT_ALLOWED });
  const exitCode = EXIT_CODES_BY_STATUS.get(status) ?? FAILED;
  return new Problem(`The service answers ${status}: ${said}`, { exitCode });
}

/** @param {Response} answer */
const isJson = (answer) => /^application\/json\b/.test(answer.headers.get("Content-Type") ?? "");

/**
 * The sentence in an error's body.
 * @param {string} text
 */
function words(text) {
  try {
    const { message, error } = JSON.parse(text);
    return message ?? error?.message ?? text;
  } catch {
    return text.trim();
  }
}
