// `#core`: the crate `webpubsub-client`, as wasm-bindgen shows it to JavaScript.
//
// What crosses is numbers and names. A number that is missing is negative, or 0 where it is a close code
// or an HTTP status; a text that is missing is empty on the way to the core. `problem` is the place of the problem's words in `errors.ts`, `kind` a message's
// place in `kinds.ts`.

/** `../../src/host.rs` */
export interface Host {
  fetchUrl(attempt: number): void;
  openSocket(attempt: number, url: string): boolean;
  closeSocket(attempt: number): void;
  send(kind: number, name: string, id: string, number: number, flag: boolean, payload: any): void;
  sendOther(message: any, ackId: number): void;
  setTimer(milliseconds: number): void;
  started(call: number): void;
  startFailed(call: number, problem: number, number: number): void;
  done(call: number, ackId: number, isDuplicated: boolean): void;
  failed(call: number, problem: number, ackId: number, name?: string, text?: string): void;
  invoked(call: number, answer: any): void;
  invocationFailed(call: number, invocationId: string, problem: number, name?: string, text?: string): void;
  connected(connectionId: string, userId: string | undefined): void;
  disconnected(
    connectionId: string | undefined,
    message: string | undefined,
    code: number,
    reason: string,
    willReconnect: boolean,
  ): void;
  stopped(code: number, reason: string): void;
  recovery(isOver: boolean, connectionId: string): void;
  message(message: any): void;
  rejoinFailed(group: string, problem: number, ackId: number, name?: string, text?: string): void;
}

/** What is wrong with a name, by the place of its words in `errors.ts`; 0 if nothing is. */
type NameProblem = number;

/** `../../src/client.rs` */
export class Client {
  constructor(
    host: Host,
    isReliable: boolean,
    autoReconnect: boolean,
    autoRejoinGroups: boolean,
    messageRetries: number,
    messageDelay: number,
    messageMaxDelay: number,
    messageDelaysDouble: boolean,
    reconnectRetries: number,
    reconnectDelay: number,
    reconnectMaxDelay: number,
    reconnectDelaysDouble: boolean,
    keepAliveTimeout: number,
    keepAliveInterval: number,
  );
  /** `what` is one of `signal.ts`. */
  signal(what: number, id: number, number: number): void;
  urlFetched(attempt: number, url: string): void;
  closed(attempt: number, code: number, reason: string): void;

  /** A sum: 1, the message is raised; 2, `TIMEOUT` is signalled then; 4, it comes again as `message`. */
  data(attempt: number, sequenceId: number, wallClock: number): number;
  message(attempt: number, sequenceId: number, message: unknown): void;
  refused(attempt: number, ackId: number, name: string, message: string): void;
  connected(attempt: number, connectionId: string, userId: string, reconnectionToken: string): void;
  disconnecting(attempt: number, message: string): void;
  answered(attempt: number, invocationId: string, answer: unknown): void;
  answerFailed(
    attempt: number,
    invocationId: string,
    isReadable: boolean,
    saysWhy: boolean,
    name: string,
    message: string,
  ): void;

  operate(
    call: number,
    kind: number,
    name: string,
    payload: unknown,
    noEcho: boolean,
    fireAndForget: boolean,
    ackId: number,
  ): NameProblem;
  invoke(call: number, event: string, payload: unknown, invocationId: string): NameProblem;
  other(call: number, message: unknown, ackId: number): void;
}

/** Starts a compiled module: what it exports. */
export function instantiate(module: WebAssembly.Module): Promise<{ Client: typeof Client }>;
