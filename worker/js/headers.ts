// What Rust reads of requests' headers: each function is one crossing.

/** Method, a blank, URL, a line break, and the header `Authorization`. */
export function requestHead({ method, url, headers }: Request): string {
  return `${method} ${url}\n${headers.get("Authorization") ?? ""}`;
}

/**
 * What a shard is given of a request, a line each: method, a blank and the URL; the headers `Content-Type` and
 * `Content-Length`; then name and value of those whose lower-case name begins with `prefix`.
 */
export function taskHead({ method, url, headers }: Request, prefix: string): string {
  let head = `${method} ${url}\n${headers.get("Content-Type") ?? ""}\n${headers.get("Content-Length") ?? ""}`;
  // Values are only read where they are asked for: each is a string of its own.
  for (const name of headers.keys()) {
    if (name.startsWith(prefix)) head += `\n${name}\n${headers.get(name)}`;
  }
  return head;
}

/**
 * The address that a request's connection comes from: on a machine of one's own workerd says it, and Cloudflare in a
 * header that no caller can set there.
 */
export function addressOf({ cf, headers }: Request<unknown, { clientIp?: string }>): string {
  // 1.2.3.4:5678 or [::1]:5678
  return cf?.clientIp?.replace(/^\[?(.*?)\]?:\d+$/, "$1") ?? headers.get("CF-Connecting-IP") ?? "";
}

/** Name, value, name, value, … of the headers whose lower-case name begins with `prefix`. */
export function headersWithPrefix(headers: Headers, prefix: string): string[] {
  const found: string[] = [];
  for (const [name, value] of headers) {
    if (name.startsWith(prefix)) found.push(name, value);
  }
  return found;
}
