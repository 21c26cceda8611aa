// Connection strings: where a service is, and the key that opens it.
import { UsageProblem } from "./terminal.mjs";

/** The variable of the environment that Microsoft's samples keep a connection string in. */
export const VARIABLE = "WebPubSubConnectionString";

/**
 * The URL and the key in a connection string such as `Endpoint=https://HOST;AccessKey=KEY;Version=1.0;`, which `source`
 * named. A problem never repeats the text, which has the key in it.
 * @param {string} text
 * @param {string} source
 */
export function readConnectionString(text, source) {
  /** @type {Map<string, string>} */
  const values = new Map();
  for (const part of text.split(";").map((part) => part.trim())) {
    if (part === "") continue;
    const at = part.indexOf("=");
    const name = part.slice(0, Math.max(at, 0)).trim().toLowerCase();
    if (name === "") throw bad(source, "a part of it is not Name=Value");
    if (values.has(name)) throw bad(source, `it has ${part.slice(0, at).trim()} twice`);
    values.set(name, part.slice(at + 1).trim());
  }
  const [endpoint, key] = ["Endpoint", "AccessKey"].map((name) => {
    const value = values.get(name.toLowerCase());
    if (!value) throw bad(source, `it has no ${name}`);
    return value;
  });
  if ((values.get("version") ?? "1.0") !== "1.0") throw bad(source, "its Version is not 1.0");
  return { url: origin(endpoint, values.get("port"), source), key };
}

/**
 * @param {string} endpoint
 * @param {string | undefined} port
 * @param {string} source
 */
function origin(endpoint, port, source) {
  const text = /^[a-z]+:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search || url.hash || url.username)
    throw bad(source, "its Endpoint is not http://HOST or https://HOST");
  if (port === undefined) return url.origin;
  if (url.port || !/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw bad(source, "its Port is not a number from 1 to 65535 beside an Endpoint without one");
  url.port = port;
  return url.origin;
}

/**
 * @param {string} source
 * @param {string} what
 */
const bad = (source, what) =>
  new UsageProblem(
    `${source} is no connection string: ${what}. One looks like Endpoint=https://HOST;AccessKey=KEY;Version=1.0;`,
  );
