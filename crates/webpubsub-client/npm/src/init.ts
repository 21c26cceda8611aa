// Where `@webpubsub-edge/client/slim` has its WebAssembly from: the application says so before its first start.
type Source = WebAssembly.Module | BufferSource | Response | URL | string;

let given: Source | Promise<Source> | undefined;

/** Says where the WebAssembly is: a module, its bytes, a response that brings them, or their URL. */
export function init(source: Source | Promise<Source>): void {
  given = source;
}

export async function compileGiven(): Promise<WebAssembly.Module> {
  let source = await given;
  if (!source) throw new Error("init() has not been called.");
  if (typeof source === "string" || source instanceof URL) source = await fetch(source);
  if (source instanceof Response) source = await source.arrayBuffer();
  return source instanceof WebAssembly.Module ? source : WebAssembly.compile(source);
}
