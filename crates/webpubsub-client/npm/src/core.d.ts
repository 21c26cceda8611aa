// `#core`: the crate `webpubsub-client`, as wasm-bindgen shows it to JavaScript.
import type { InvokeEventResult, WebPubSubRetryOptions, WebSocketLike } from "./models.js";
import type { InvocationError, SendMessageError, StartProblem } from "./errors.js";

/** `../../src/settings.rs` */
export interface Settings {
  reliable: boolean;
  autoReconnect?: boolean;
  autoRejoinGroups?: boolean;
  messageRetryOptions?: WebPubSubRetryOptions;
  reconnectRetryOptions?: WebPubSubRetryOptions;
  keepAliveTimeoutInMs?: number;
  keepAliveIntervalInMs?: number;
}

/** `../../src/host.rs` */
export interface Host {
  fetchUrl(attempt: number): void;
  openSocket(attempt: number, url: string, protocol: string): WebSocketLike;
  setTimer(milliseconds: number | undefined): void;
  started(call: number): void;
  startFailed(call: number, problem: StartProblem, number: number | undefined): void;
  done(call: number, ackId: number | undefined, isDuplicated: boolean): void;
  invoked(call: number, answer: InvokeEventResult): void;
  failed(call: number, error: Error): void;
  sendError(message: string, ackId?: number, name?: string, detail?: string): SendMessageError;
  invocationError(message: string, invocationId: string, name?: string, detail?: string): InvocationError;
  connected(connectionId: string, userId: string | undefined): void;
  disconnected(
    connectionId: string | undefined,
    message: string | undefined,
    code: number,
    reason: string,
    willReconnect: boolean,
  ): void;
  stopped(code: number | undefined, reason: string | undefined): void;
  recovering(connectionId: string): void;
  recovered(connectionId: string): void;
  message(message: any): void;
  rejoinFailed(group: string, error: Error): void;
}

/** `../../src/client.rs` */
export class Client {
  constructor(host: Host, settings: Settings);
  start(call: number): void;
  stop(): void;
  abort(call: number): void;
  wake(): void;
  timeout(): void;
  opened(attempt: number): void;
  received(attempt: number, frame: unknown): void;
  closed(attempt: number, code: number, reason: string): void;
  urlFetched(attempt: number, url: string): void;
  urlFailed(attempt: number): void;
  connectFailed(attempt: number, isKnown: boolean, status?: number): void;
  joinGroup(call: number, group: string, ackId?: number): void;
  leaveGroup(call: number, group: string, ackId?: number): void;
  sendToGroup(
    call: number,
    group: string,
    content: unknown,
    dataType: string,
    noEcho: boolean,
    fireAndForget: boolean,
    ackId?: number,
  ): void;
  sendEvent(
    call: number,
    event: string,
    content: unknown,
    dataType: string,
    fireAndForget: boolean,
    ackId?: number,
  ): void;
  invokeEvent(call: number, event: string, content: unknown, dataType: string, invocationId?: string): void;
  other(call: number, message: string, ackId?: number): void;
}

export function instantiate(module: WebAssembly.Module): Promise<void>;
