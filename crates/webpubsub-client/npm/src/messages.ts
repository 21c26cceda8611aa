// What goes over the wire, in the shape and with the names that `@azure/web-pubsub-client` gives it.
//
// This client speaks of `DisconnectedMessage`, `GroupDataMessage` and `ServerDataMessage`. The others
// are here for code that names them.

/** What can be sent as JSON. */
export type JSONTypes = string | number | boolean | object;

/** How a payload is to be understood. */
export type WebPubSubDataType = "binary" | "json" | "text" | "protobuf";

/** What the service sends. */
export type DownstreamMessageType =
  | "ack"
  | "pong"
  | "connected"
  | "disconnected"
  | "groupData"
  | "serverData"
  | "invokeResponse"
  | "streamAck"
  | "streamNack"
  | "streamClosed"
  | "groupStateSnapshot"
  | "groupStateUpdate";

/** What a client sends. */
export type UpstreamMessageType =
  | "joinGroup"
  | "leaveGroup"
  | "sendToGroup"
  | "sendEvent"
  | "sequenceAck"
  | "ping"
  | "invoke"
  | "cancelInvocation"
  | "streamData"
  | "streamEnd"
  | "setGroupState"
  | "subscribeGroupState"
  | "unsubscribeGroupState";

/** What all messages have. */
export interface WebPubSubMessageBase {
  kind: DownstreamMessageType | UpstreamMessageType;
}

/** Any message. */
export type WebPubSubMessage =
  | AckMessage
  | CancelInvocationMessage
  | ConnectedMessage
  | DisconnectedMessage
  | GroupDataMessage
  | GroupStateSnapshotMessage
  | GroupStateUpdateMessage
  | InvokeMessage
  | InvokeResponseMessage
  | JoinGroupMessage
  | LeaveGroupMessage
  | PingMessage
  | PongMessage
  | SendEventMessage
  | SendToGroupMessage
  | SequenceAckMessage
  | ServerDataMessage
  | SetGroupStateMessage
  | StreamAckMessage
  | StreamClosedMessage
  | StreamDataMessage
  | StreamEndMessage
  | StreamNackMessage
  | SubscribeGroupStateMessage
  | UnsubscribeGroupStateMessage;

/** Why the service did not do an operation. */
export interface AckMessageError {
  /** A word for programs, such as `Forbidden`. */
  name: string;
  /** A sentence for people. */
  message: string;
}

/** The service's answer to an operation. */
export interface AckMessage extends WebPubSubMessageBase {
  readonly kind: "ack";
  /** The operation's ack id. */
  ackId: number;
  /** Whether it was done. */
  success: boolean;
  /** Why not, where it was not. */
  error?: AckMessageError;
}

/** A sign of life. */
export interface PingMessage extends WebPubSubMessageBase {
  readonly kind: "ping";
}

/** The answer to a ping. */
export interface PongMessage extends WebPubSubMessageBase {
  readonly kind: "pong";
}

/** The first message of a connection. */
export interface ConnectedMessage extends WebPubSubMessageBase {
  readonly kind: "connected";
  connectionId: string;
  /** None for an anonymous user. */
  userId: string;
  /** What recovers the connection, on a reliable protocol. */
  reconnectionToken: string;
}

/** What the service says before it closes a connection. */
export interface DisconnectedMessage extends WebPubSubMessageBase {
  readonly kind: "disconnected";
  /** Why it closes. */
  message: string;
}

/** Something published to a group that this connection is a member of. */
export interface GroupDataMessage extends WebPubSubMessageBase {
  readonly kind: "groupData";
  dataType: WebPubSubDataType;
  /** A string, a JSON value, or an `ArrayBuffer` for `binary` and `protobuf`. */
  data: JSONTypes | ArrayBuffer;
  /** Its place in what the connection receives, on a reliable protocol. */
  sequenceId?: number;
  group: string;
  /** Who published; none for anonymous clients and servers. */
  fromUserId: string;
  /** Its place in a stream, if it belongs to one. */
  stream?: StreamInfo;
  /** What rides beside the payload. */
  metadata?: Record<string, string>;
}

/** Something the application's server sent to all, to this user or to this connection. */
export interface ServerDataMessage extends WebPubSubMessageBase {
  readonly kind: "serverData";
  dataType: WebPubSubDataType;
  /** A string, a JSON value, or an `ArrayBuffer` for `binary` and `protobuf`. */
  data: JSONTypes | ArrayBuffer;
  /** Its place in what the connection receives, on a reliable protocol. */
  sequenceId?: number;
  /** What rides beside the payload. */
  metadata?: Record<string, string>;
}

/** Asks to become a member of a group. */
export interface JoinGroupMessage extends WebPubSubMessageBase {
  readonly kind: "joinGroup";
  group: string;
  /** Asks for an ack with this id. */
  ackId?: number;
}

/** Asks to be a member of a group no more. */
export interface LeaveGroupMessage extends WebPubSubMessageBase {
  readonly kind: "leaveGroup";
  group: string;
  /** Asks for an ack with this id. */
  ackId?: number;
}

/** Publishes to a group. */
export interface SendToGroupMessage extends WebPubSubMessageBase {
  readonly kind: "sendToGroup";
  group: string;
  /** Asks for an ack with this id. */
  ackId?: number;
  /** None where the message begins a stream. */
  dataType?: WebPubSubDataType;
  /** None where the message begins a stream. */
  data?: JSONTypes | ArrayBuffer;
  /** Whether the sender is left out. */
  noEcho: boolean;
  /** The stream that begins. */
  stream?: StartStreamOptions;
}

/** Sends an event to the application's server. */
export interface SendEventMessage extends WebPubSubMessageBase {
  readonly kind: "sendEvent";
  /** Asks for an ack with this id. */
  ackId?: number;
  dataType: WebPubSubDataType;
  data: JSONTypes | ArrayBuffer;
  event: string;
}

/** Says up to which message everything has arrived. */
export interface SequenceAckMessage extends WebPubSubMessageBase {
  readonly kind: "sequenceAck";
  sequenceId: number;
}

/** Sends an event to the application's server for its answer. */
export interface InvokeMessage extends WebPubSubMessageBase {
  readonly kind: "invoke";
  /** What the answer is known by. */
  invocationId: string;
  target?: "event";
  event?: string;
  dataType?: WebPubSubDataType;
  data?: JSONTypes | ArrayBuffer;
}

/** Why an invocation was refused. */
export interface InvokeResponseError {
  /** A word for programs, such as `InternalServerError`. */
  name: string;
  /** A sentence for people. */
  message: string;
}

/** The answer to an invocation. */
export interface InvokeResponseMessage extends WebPubSubMessageBase {
  readonly kind: "invokeResponse";
  invocationId: string;
  success?: boolean;
  dataType?: WebPubSubDataType;
  data?: JSONTypes | ArrayBuffer;
  /** Why there is no success. */
  error?: InvokeResponseError;
}

/** Gives an invocation up. */
export interface CancelInvocationMessage extends WebPubSubMessageBase {
  readonly kind: "cancelInvocation";
  invocationId: string;
}

/** Where a message stands in a stream. */
export interface StreamInfo {
  streamId: string;
  /** 1, 2, 3, … */
  streamSequenceId: number;
  /** Whether nothing follows. */
  endOfStream?: boolean;
  /** Why the stream ended early. */
  error?: StreamDataError;
}

/** Why a stream ended early, as the service says it. */
export interface StreamDataError {
  name: string;
  message?: string;
  /** A word of the sender's own. */
  userErrorCode?: string;
}

/** Why a stream ends early, as its sender says it. */
export interface StreamEndError {
  message?: string;
  /** A word of the sender's own. */
  userErrorCode?: string;
}

/** A stream that begins. */
export interface StartStreamOptions {
  streamId: string;
  /** How long it may be silent, in milliseconds. */
  idleTimeoutInMs?: number;
}

/** A piece of a stream; with nothing but `streamId` it is a sign of life. */
export interface StreamDataMessage extends WebPubSubMessageBase {
  readonly kind: "streamData";
  streamId: string;
  streamSequenceId?: number;
  dataType?: WebPubSubDataType;
  data?: JSONTypes | ArrayBuffer;
}

/** The end of a stream. */
export interface StreamEndMessage extends WebPubSubMessageBase {
  readonly kind: "streamEnd";
  streamId: string;
  error?: StreamEndError;
}

/** Says which piece of a stream the service waits for. */
export interface StreamAckMessage extends WebPubSubMessageBase {
  readonly kind: "streamAck";
  streamId: string;
  expectedSequenceId: number;
}

/** Says that a piece of a stream was not taken, and which one the service waits for. */
export interface StreamNackMessage extends WebPubSubMessageBase {
  readonly kind: "streamNack";
  streamId: string;
  name: string;
  message?: string;
  expectedSequenceId: number;
}

/** Says that the service has ended a stream. */
export interface StreamClosedMessage extends WebPubSubMessageBase {
  readonly kind: "streamClosed";
  streamId: string;
  error?: { name: string; message?: string };
}

/** Sets what this connection shows of itself to a group, or clears it. */
export interface SetGroupStateMessage extends WebPubSubMessageBase {
  readonly kind: "setGroupState";
  group: string;
  /** None clears it. */
  state?: Record<string, string>;
  /** Asks for an ack with this id. */
  ackId?: number;
}

/** Asks for the states of a group's members from here on. */
export interface SubscribeGroupStateMessage extends WebPubSubMessageBase {
  readonly kind: "subscribeGroupState";
  group: string;
  /** Asks for an ack with this id. */
  ackId?: number;
}

/** Asks for no more states of a group's members. */
export interface UnsubscribeGroupStateMessage extends WebPubSubMessageBase {
  readonly kind: "unsubscribeGroupState";
  group: string;
  /** Asks for an ack with this id. */
  ackId?: number;
}

/** The state of one member of a group. */
export interface GroupStateItem {
  connectionId: string;
  /** None for an anonymous user. */
  userId?: string;
  /** None once it is cleared. */
  state?: Record<string, string>;
  /** When it was last changed, in milliseconds since 1970. */
  updatedAt: number;
}

/** The states of all members of a group. */
export interface GroupStateSnapshotMessage extends WebPubSubMessageBase {
  readonly kind: "groupStateSnapshot";
  group: string;
  items: GroupStateItem[];
}

/** States of a group's members that have changed. */
export interface GroupStateUpdateMessage extends WebPubSubMessageBase {
  readonly kind: "groupStateUpdate";
  group: string;
  items: GroupStateItem[];
}
