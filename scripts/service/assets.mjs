// The page's files as a worker of their own, for plain workerd: what the platform does when deployed.

/** @type {Record<string, string>} */
const types = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  mjs: "text/javascript; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webp: "image/webp",
  woff2: "font/woff2",
};

/**
 * The content type that goes with a file's name.
 * @param {string} name
 */
export const contentType = (name) =>
  types[name.slice(name.lastIndexOf(".") + 1).toLowerCase()] ?? "application/octet-stream";

/**
 * The path that a file answers to: the folder's for an `index.html`, without `.html` for other pages.
 * @param {string} name
 */
export const assetPath = (name) => `/${name}`.replace(/\/index\.html$/, "/").replace(/\.html$/, "");

/**
 * The source of a worker that serves files which are embedded beside it under `assets/`.
 * @param {string[]} names
 */
export function assetsWorker(names) {
  const imports = names.map((name, index) => `import file${index} from ${JSON.stringify(`./assets/${name}`)};`);
  const entries = names.map(
    (name, index) =>
      `  [${JSON.stringify(assetPath(name))}, { body: file${index}, type: ${JSON.stringify(contentType(name))} }],`,
  );
  const pages = names
    .filter((name) => name.endsWith(".html"))
    .map((name) => `  [${JSON.stringify(`/${name}`)}, ${JSON.stringify(assetPath(name))}],`);
  return `// Generated; every start writes it anew.
${imports.join("\n")}

const files = new Map([
${entries.join("\n")}
]);
const otherNames = new Map([
${pages.join("\n")}
]);

async function tagOf(file) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", file.body));
  file.tag ??= '"' + Array.from(digest.slice(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("") + '"';
  return file.tag;
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    let path;
    try {
      path = decodeURIComponent(url.pathname);
    } catch {
      return new Response("Not Found", { status: 404 });
    }
    const file = files.get(path);
    if (!file) {
      const other = otherNames.get(path);
      if (other) return new Response(null, { status: 307, headers: { Location: other + url.search } });
      return new Response("Not Found", { status: 404 });
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("Method Not Allowed", { status: 405, headers: { Allow: "GET, HEAD" } });
    }
    const headers = { "Content-Type": file.type, "Cache-Control": "public, max-age=0, must-revalidate", ETag: file.tag ?? (await tagOf(file)) };
    if (request.headers.get("If-None-Match") === headers.ETag) return new Response(null, { status: 304, headers });
    return new Response(request.method === "HEAD" ? null : file.body, { headers });
  },
};
`;
}
