// The shapes that an application meets, named as in `@azure/web-pubsub-client`.
import type {
  DisconnectedMessage,
  GroupDataMessage,
  JSONTypes,
  ServerDataMessage,
  WebPubSubDataType,
  WebPubSubMessage,
} from "./messages.js";

export type * from "./messages.js";
export type * from "./streams.js";

/** An `AbortSignal`, or anything that works like one. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: (this: AbortSignalLike, event: any) => any, options?: any): void;
  removeEventListener(type: "abort", listener: (this: AbortSignalLike, event: any) => any, options?: any): void;
}

export interface GetClientAccessUrlOptions {
  /** Aborted when the `start` that asks is. */
  abortSignal?: AbortSignalLike;
}

/** Where client access URLs come from. */
export interface WebPubSubClientCredential {
  /**
   * A URL, used for every connection (and no longer accepted once its token has expired), or a
   * function that is called for every new one. A recovery asks for none.
   */
  getClientAccessUrl: string | ((options?: GetClientAccessUrlOptions) => string | Promise<string>);
}

/**
 * A subprotocol: `WebPubSubJsonReliableProtocol()`, `WebPubSubJsonProtocol()`, those of
 * `@webpubsub-edge/client/protobuf`, or one of your own.
 */
export interface WebPubSubClientProtocol {
  /** What is offered to the service as the WebSocket's subprotocol. */
  readonly name: string;
  /** Whether a lost connection can be recovered without losing a message. */
  readonly isReliableSubProtocol: boolean;
  /**
   * Reads a frame: text as a string, bytes as an `ArrayBuffer`. Null is a frame that says nothing to
   * this client. What it throws is reported, and the frame passed over.
   */
  parseMessages(input: string | ArrayBuffer | ArrayBufferView): WebPubSubMessage[] | WebPubSubMessage | null;
  /** Writes a frame. What it throws fails the operation that the message is for. */
  writeMessage(message: WebPubSubMessage): string | ArrayBuffer;
  /** Makes what the other two need first; `start` waits for it. */
  load?(): Promise<unknown>;
}

export type RetryMode = "Exponential" | "Fixed";

/** How often to try again, and after how long. What is missing or negative is the default. */
export interface WebPubSubRetryOptions {
  /** Tries after the first. For messages 3, for reconnecting without limit. */
  maxRetries?: number;
  /** The first pause; 1000. */
  retryDelayInMs?: number;
  /** The longest pause of mode `Exponential`; 30000. */
  maxRetryDelayInMs?: number;
  /** `Fixed` pauses are alike, `Exponential` ones double; `Fixed`. */
  mode?: RetryMode;
}

export interface WebPubSubClientOptions {
  /** `WebPubSubJsonReliableProtocol()`. */
  protocol?: WebPubSubClientProtocol;
  /** Whether to make a new connection when one is lost for good; `true`. */
  autoReconnect?: boolean;
  /** Whether to join groups again on a new connection; `true`. */
  autoRejoinGroups?: boolean;
  /** For `joinGroup`, `leaveGroup`, `sendToGroup`, `sendEvent` and the operations on group states. */
  messageRetryOptions?: WebPubSubRetryOptions;
  /** Between attempts to reconnect. */
  reconnectRetryOptions?: WebPubSubRetryOptions;
  /** Silence of the service after which the link counts as lost; 120000. 0 waits for ever. */
  keepAliveTimeoutInMs?: number;
  /** Time from one ping to the next; 20000. 0 sends none. */
  keepAliveIntervalInMs?: number;
  /** Makes the sockets; `(url, protocol) => new WebSocket(url, protocol)`. */
  webSocketFactory?: (url: string, protocol: string) => WebSocketLike;
}

/** A `WebSocket`, or anything that works like one. */
export interface WebSocketLike {
  // Functions of any kind, so that a browser's, Node's and a fake's event types all fit.
  onopen: ((event: any) => any) | null;
  onmessage: ((event: any) => any) | null;
  onclose: ((event: any) => any) | null;
  onerror: ((event: any) => any) | null;
  binaryType?: string;
  send(data: string | ArrayBuffer): void;
  close(): void;
}

export interface StartOptions {
  /** Gives the start up. */
  abortSignal?: AbortSignalLike;
}

export interface JoinGroupOptions {
  /** An ack id of your choice: the service does the operation at most once under it. */
  ackId?: number;
  /** Gives the operation up. */
  abortSignal?: AbortSignalLike;
}

export interface LeaveGroupOptions extends JoinGroupOptions {}

export interface SendEventOptions extends JoinGroupOptions {
  /** Whether to be done once the message is sent, without waiting for an ack; `false`. */
  fireAndForget?: boolean;
}

export interface SendToGroupOptions extends SendEventOptions {
  /** Whether this connection, if it is a member, is left out; `false`. */
  noEcho?: boolean;
}

export interface InvokeEventOptions {
  /** What the answer is known by, of your choice; no two that wait may have the same. */
  invocationId?: string;
  /** Gives the invocation up. */
  abortSignal?: AbortSignalLike;
}

/** What the application's server answered. */
export interface InvokeEventResult {
  invocationId: string;
  /** None where it answered without a payload. */
  dataType?: WebPubSubDataType;
  /** A string, a JSON value, or an `ArrayBuffer` for `binary` and `protobuf`. */
  data?: JSONTypes | ArrayBuffer;
}

/** That an operation was done. */
export interface WebPubSubResult {
  /** The ack id that it was done under; none for `fireAndForget`. */
  ackId?: number;
  /** Whether the service had done it before, under the same ack id. */
  isDuplicated: boolean;
}

export interface OnConnectedArgs {
  connectionId: string;
  /** `null` for an anonymous user. */
  userId: string;
}

export interface OnDisconnectedArgs {
  connectionId?: string;
  /** What the service said before, if it did. */
  message?: DisconnectedMessage;
  /** The WebSocket's close code; 1005 where none was given, 1006 where the link was lost. */
  code: number;
  /** The text beside the code, often empty. */
  reason: string;
  /** Whether the client makes a new connection. */
  willReconnect: boolean;
}

export interface OnStoppedArgs {
  /** The close code of the last WebSocket, if one was open. */
  code?: number;
  /** The text beside the code. */
  reason?: string;
}

export interface OnServerDataMessageArgs {
  message: ServerDataMessage;
}

export interface OnGroupDataMessageArgs {
  message: GroupDataMessage;
}

export interface OnRejoinGroupFailedArgs {
  group: string;
  error: Error;
}

/** The states of a group's members that this client knows have changed: see `listGroupStates`. */
export interface OnGroupStatesChangedArgs {
  group: string;
}

/** What a member of a group shows of itself. */
export interface GroupStateRecord {
  connectionId: string;
  /** None for an anonymous user. */
  userId?: string;
  state: Record<string, string>;
  /** When it was last changed, in milliseconds since 1970. */
  updatedAt: number;
}

export interface OnRecoveringArgs {
  connectionId: string;
}

export interface OnRecoveredArgs {
  connectionId: string;
}

/** Every event, and what its listeners get. */
export interface WebPubSubClientEvents {
  /** A new connection is there, and its groups are joined again. Not after a recovery. */
  connected: OnConnectedArgs;
  /** A connection is lost for good. */
  disconnected: OnDisconnectedArgs;
  /** The client has stopped, and only `start` changes that. */
  stopped: OnStoppedArgs;
  "server-message": OnServerDataMessageArgs;
  "group-message": OnGroupDataMessageArgs;
  /** A group could not be joined again, or its states not be subscribed to again. */
  "rejoin-group-failed": OnRejoinGroupFailedArgs;
  "group-states-changed": OnGroupStatesChangedArgs;
  /**
   * The link is lost, and the client tries to get it back without losing a message. Followed by
   * `recovered`, or by `disconnected` where that cannot be.
   */
  recovering: OnRecoveringArgs;
  /** The connection goes on over a new link, on which the service has answered. */
  recovered: OnRecoveredArgs;
}
