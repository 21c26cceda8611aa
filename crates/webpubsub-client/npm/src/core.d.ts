// `#core`: the crate `webpubsub-client`, as wasm-bindgen shows it to JavaScript.
//
// What crosses is numbers and texts: `inputs.ts` and `outputs.ts` say what they are. A `problem` is the place of its words in
// `errors.ts`.

/** `../../src/host.rs` */
export interface Host {
  /** An option by its number, its place in `coreOptions` of `settings.ts`. */
  option(which: number): number | boolean;
  /** `what` is one of `outputs.ts`. */
  output(
    what: number,
    id: number,
    detail: number,
    number: number,
    a: string | undefined,
    b: string | undefined,
    c: string | undefined,
    value: any,
  ): unknown;
}

/** What is wrong with a name, by the place of its words in `errors.ts`; 0 if nothing is. */
type NameProblem = number;

/** `../../src/client.rs` */
export class Client {
  constructor(host: Host);
  /** `what` is one of `inputs.ts`. */
  input(what: number, id?: number, number?: number, a?: unknown, b?: unknown, c?: unknown): NameProblem;

  /**
   * A sum: 1, the message is raised; 2, `DUE` follows then; 4, it comes again as `DATA`; 8, so many times as more messages
   * that are numbered on from it may be raised before the last of them is shown.
   */
  data(attempt: number, sequenceId: number, wallClock: number): number;
}

/** Starts a compiled module: what it exports. */
export function instantiate(module: WebAssembly.Module): Promise<{ Client: typeof Client }>;
