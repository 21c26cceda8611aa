// What Rust reads of requests' headers: each function is one crossing.

/** Method, a blank, URL, a line break, and the header `Authorization`. */
export function requestHead({ method, url, headers }: Request): string {
  return `${method} ${url}\n${headers.get("Authorization") ?? ""}`;
}

/**
 * A line each: the headers `Content-Type` and `Content-Length`, then name and value of those whose
 * lower-case name begins with `prefix`.
 */
export function messageHead({ headers }: Request, prefix: string): string {
  let head = `${headers.get("Content-Type") ?? ""}\n${headers.get("Content-Length") ?? ""}`;
  // Values are only read where they are asked for: each is a string of its own.
  for (const name of headers.keys()) {
    if (name.startsWith(prefix)) head += `\n${name}\n${headers.get(name)}`;
  }
  return head;
}

/** Name, value, name, value, … of the headers whose lower-case name begins with `prefix`. */
export function headersWithPrefix(headers: Headers, prefix: string): string[] {
  const found: string[] = [];
  for (const [name, value] of headers) {
    if (name.startsWith(prefix)) found.push(name, value);
  }
  return found;
}
