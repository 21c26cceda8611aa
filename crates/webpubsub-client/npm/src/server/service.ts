// Where the service is and what opens it: a connection string, or its parts.

/** A service: its connection string, or its endpoint and an access key. */
export type ServiceAddress =
  | { connectionString: string; endpoint?: undefined; accessKey?: undefined }
  | { connectionString?: undefined; endpoint: string; accessKey: string };

/** A service's endpoint, as scheme, host and port without a slash at the end, and an access key. */
export interface Service {
  endpoint: string;
  accessKey: string;
}

/**
 * Reads where a service is. An endpoint without a scheme is `https`; the case of names does not count, and other names
 * are ignored.
 *
 * @throws TypeError that says what is wrong, without any part of the text.
 */
export function serviceOf({ connectionString, endpoint, accessKey }: ServiceAddress): Service {
  if (connectionString !== undefined) return parsed(connectionString);
  if (typeof accessKey !== "string" || accessKey === "")
    throw new TypeError("Pass connectionString, or endpoint and accessKey.");
  return { endpoint: origin(endpoint, undefined), accessKey };
}

function parsed(text: string): Service {
  if (typeof text !== "string")
    throw new TypeError("connectionString must be a string such as Endpoint=https://HOST;AccessKey=KEY;Version=1.0;");
  const values = new Map<string, string>();
  for (const part of text.split(";").map((part) => part.trim())) {
    if (part === "") continue;
    const at = part.indexOf("=");
    if (at < 0) throw new TypeError("A part of the connection string is not Name=Value.");
    const name = part.slice(0, at).trim().toLowerCase();
    if (!["endpoint", "accesskey", "port", "version"].includes(name)) continue;
    if (values.has(name)) throw new TypeError("A name in the connection string is repeated.");
    values.set(name, part.slice(at + 1).trim());
  }
  const given = (name: string, shown: string) => {
    const value = values.get(name);
    if (!value) throw new TypeError(`The connection string has no ${shown}.`);
    return value;
  };
  if ((values.get("version") ?? "1.0") !== "1.0") throw new TypeError("The connection string's Version is not 1.0.");
  return {
    endpoint: origin(given("endpoint", "Endpoint"), values.get("port")),
    accessKey: given("accesskey", "AccessKey"),
  };
}

function origin(endpoint: string, port: string | undefined): string {
  const [, scheme = "https", host = ""] = /^(?:([^:/]*):\/\/)?(.*?)\/?$/s.exec(endpoint) ?? [];
  if (!/^https?$/i.test(scheme) || host === "" || /[\s/?#@]/.test(host))
    throw new TypeError("The service's endpoint is not http://HOST or https://HOST.");
  const address = `${scheme.toLowerCase()}://${host}`;
  if (port === undefined) return address;
  // A colon inside brackets is an IPv6 address's own.
  const hasPort = host.slice(host.lastIndexOf("]") + 1).includes(":");
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535 || hasPort)
    throw new TypeError("The connection string's Port is not a number from 1 to 65535 beside an Endpoint without one.");
  return `${address}:${Number(port)}`;
}
