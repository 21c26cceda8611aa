// A program with every name and option of `@azure/web-pubsub-client` 1.1.0. `types.test.mjs` has it compiled with another
// import; with this one the lints do.
//
// Nothing of it runs.
import {
  InvocationError,
  SendMessageError,
  WebPubSubClient,
  WebPubSubJsonProtocol,
  WebPubSubJsonReliableProtocol,
  type AbortGroupStreamOptions,
  type AckMessage,
  type AckMessageError,
  type CancelInvocationMessage,
  type ConnectedMessage,
  type DisconnectedMessage,
  type DownstreamMessageType,
  type EndGroupStreamOptions,
  type GetClientAccessUrlOptions,
  type GroupDataMessage,
  type GroupStateItem,
  type GroupStateSnapshotMessage,
  type GroupStateUpdateMessage,
  type GroupStream,
  type GroupStreamMessage,
  type GroupStreamSubscription,
  type GroupStreamWriteOptions,
  type GroupStreamWriter,
  type InvocationErrorOptions,
  type InvokeEventOptions,
  type InvokeEventResult,
  type InvokeMessage,
  type InvokeResponseError,
  type InvokeResponseMessage,
  type JoinGroupMessage,
  type JoinGroupOptions,
  type JSONTypes,
  type LeaveGroupMessage,
  type LeaveGroupOptions,
  type OnConnectedArgs,
  type OnDisconnectedArgs,
  type OnGroupDataMessageArgs,
  type OnGroupStreamOptions,
  type OnRejoinGroupFailedArgs,
  type OnServerDataMessageArgs,
  type OnStoppedArgs,
  type OpenGroupStreamOptions,
  type PingMessage,
  type PongMessage,
  type RetryMode,
  type SendEventMessage,
  type SendEventOptions,
  type SendMessageErrorOptions,
  type SendToGroupMessage,
  type SendToGroupOptions,
  type SequenceAckMessage,
  type ServerDataMessage,
  type SetGroupStateMessage,
  type StartOptions,
  type StartStreamOptions,
  type StreamAckMessage,
  type StreamClosedMessage,
  type StreamDataError,
  type StreamDataMessage,
  type StreamEndError,
  type StreamEndMessage,
  type StreamInfo,
  type StreamNackMessage,
  type SubscribeGroupStateMessage,
  type UnsubscribeGroupStateMessage,
  type UpstreamMessageType,
  type WebPubSubClientCredential,
  type WebPubSubClientOptions,
  type WebPubSubClientProtocol,
  type WebPubSubDataType,
  type WebPubSubMessage,
  type WebPubSubMessageBase,
  type WebPubSubResult,
  type WebPubSubRetryOptions,
} from "@azure/web-pubsub-client-1.1";
import type { AbortSignalLike } from "@azure/abort-controller";

// Everything that an application writes.
const signal: AbortSignal = new AbortController().signal;
const like: AbortSignalLike = signal;
const mode: RetryMode = "Exponential";
const retries: WebPubSubRetryOptions = { maxRetries: 3, retryDelayInMs: 1, maxRetryDelayInMs: 2, mode };
const fixed: WebPubSubRetryOptions = { mode: "Fixed" };

class Credential implements WebPubSubClientCredential {
  async getClientAccessUrl(options?: GetClientAccessUrlOptions): Promise<string> {
    const passedOn: AbortSignalLike | undefined = options?.abortSignal;
    const response = await fetch("/negotiate", { signal: options?.abortSignal as AbortSignal });
    if (passedOn?.aborted) throw new Error("aborted");
    return response.text();
  }
}
const credentials: WebPubSubClientCredential[] = [
  new Credential(),
  { getClientAccessUrl: "wss://example.com" },
  { getClientAccessUrl: async () => "wss://example.com" },
  { getClientAccessUrl: async ({ abortSignal }: GetClientAccessUrlOptions = {}) => String(abortSignal?.aborted) },
];

// A message of every kind, and a protocol of one's own that knows them all.
function described(message: WebPubSubMessage): string {
  switch (message.kind) {
    case "ack": {
      const ack: AckMessage = message;
      const error: AckMessageError | undefined = ack.error;
      return `${ack.ackId.toFixed()}${ack.success}${error?.name}${error?.message}`;
    }
    case "connected": {
      const { connectionId, userId, reconnectionToken }: ConnectedMessage = message;
      return connectionId.concat(userId, reconnectionToken);
    }
    case "disconnected": {
      const disconnected: DisconnectedMessage = message;
      return disconnected.message.trim();
    }
    case "groupData": {
      const { group, fromUserId, dataType, data, sequenceId, stream }: GroupDataMessage = message;
      const info: StreamInfo | undefined = stream;
      const error: StreamDataError | undefined = info?.error;
      return group.concat(
        fromUserId,
        dataType,
        shown(data),
        String(sequenceId?.toFixed()),
        String(info?.streamId),
        String(info?.streamSequenceId),
        String(info?.endOfStream),
        String(error?.userErrorCode),
        error?.name ?? "",
        error?.message ?? "",
      );
    }
    case "serverData": {
      const { dataType, data, sequenceId }: ServerDataMessage = message;
      return `${dataType}${shown(data)}${sequenceId}`;
    }
    case "invokeResponse": {
      const response: InvokeResponseMessage = message;
      const error: InvokeResponseError | undefined = response.error;
      return `${response.invocationId}${response.success}${response.dataType}${response.data}${error?.name}${error?.message}`;
    }
    case "pong": {
      const pong: PongMessage = message;
      return pong.kind;
    }
    case "streamAck": {
      const ack: StreamAckMessage = message;
      return `${ack.streamId}${ack.expectedSequenceId}`;
    }
    case "streamNack": {
      const nack: StreamNackMessage = message;
      return `${nack.streamId}${nack.expectedSequenceId}${nack.name}${nack.message}`;
    }
    case "streamClosed": {
      const closed: StreamClosedMessage = message;
      return `${closed.streamId}${closed.error?.name}${closed.error?.message}`;
    }
    case "groupStateSnapshot": {
      const snapshot: GroupStateSnapshotMessage = message;
      const items: GroupStateItem[] = snapshot.items;
      return items
        .map(({ connectionId, userId, state, updatedAt }) => `${connectionId}${userId}${state?.a}${updatedAt}`)
        .join();
    }
    case "groupStateUpdate": {
      const update: GroupStateUpdateMessage = message;
      return `${update.group}${update.items.length}`;
    }
    case "joinGroup": {
      const join: JoinGroupMessage = message;
      return `${join.group}${join.ackId}`;
    }
    case "leaveGroup": {
      const leave: LeaveGroupMessage = message;
      return `${leave.group}${leave.ackId}`;
    }
    case "sendToGroup": {
      const { group, ackId, dataType, data, noEcho, stream }: SendToGroupMessage = message;
      const start: StartStreamOptions | undefined = stream;
      return `${group}${ackId}${dataType}${data}${noEcho}${start?.streamId}${start?.idleTimeoutInMs}`;
    }
    case "sendEvent": {
      const { event, ackId, dataType, data }: SendEventMessage = message;
      return `${event}${ackId}${dataType}${data}`;
    }
    case "sequenceAck": {
      const ack: SequenceAckMessage = message;
      return ack.sequenceId.toFixed();
    }
    case "ping": {
      const ping: PingMessage = message;
      return ping.kind;
    }
    case "invoke": {
      const { invocationId, target, event, dataType, data }: InvokeMessage = message;
      return `${invocationId}${target}${event}${dataType}${data}`;
    }
    case "cancelInvocation": {
      const cancel: CancelInvocationMessage = message;
      return cancel.invocationId;
    }
    case "streamData": {
      const { streamId, streamSequenceId, dataType, data }: StreamDataMessage = message;
      return `${streamId}${streamSequenceId}${dataType}${data}`;
    }
    case "streamEnd": {
      const end: StreamEndMessage = message;
      return `${end.streamId}${end.error?.message}${end.error?.userErrorCode}`;
    }
    case "setGroupState": {
      const set: SetGroupStateMessage = message;
      return `${set.group}${set.state?.a}${set.ackId}`;
    }
    case "subscribeGroupState": {
      const subscribe: SubscribeGroupStateMessage = message;
      return `${subscribe.group}${subscribe.ackId}`;
    }
    case "unsubscribeGroupState": {
      const unsubscribe: UnsubscribeGroupStateMessage = message;
      return `${unsubscribe.group}${unsubscribe.ackId}`;
    }
    default: {
      const none: never = message;
      return none;
    }
  }
}

function shown(data: JSONTypes | ArrayBuffer): string {
  if (typeof data === "string") return data;
  if (data instanceof ArrayBuffer) return String(data.byteLength);
  return typeof data === "object" ? JSON.stringify(data) : String(data);
}

const kinds: (DownstreamMessageType | UpstreamMessageType)[] = ["ack", "ping"];
const base: WebPubSubMessageBase = { kind: kinds[0]! };
const dataTypes: WebPubSubDataType[] = ["binary", "json", "text", "protobuf"];
const total: Record<DownstreamMessageType, number> = {
  ack: 0,
  pong: 0,
  connected: 0,
  disconnected: 0,
  groupData: 0,
  serverData: 0,
  invokeResponse: 0,
  streamAck: 0,
  streamNack: 0,
  streamClosed: 0,
  groupStateSnapshot: 0,
  groupStateUpdate: 0,
};

class OwnProtocol implements WebPubSubClientProtocol {
  readonly name = "json.webpubsub.azure.v1";
  readonly isReliableSubProtocol = false;
  readonly inner: WebPubSubClientProtocol = WebPubSubJsonProtocol();
  parseMessages(input: string | ArrayBuffer | Buffer): WebPubSubMessage[] | WebPubSubMessage | null {
    const messages = this.inner.parseMessages(input);
    if (messages === null) return null;
    const all: WebPubSubMessage[] = Array.isArray(messages) ? messages : [messages];
    for (const message of all) described(message);
    return all;
  }
  writeMessage(message: WebPubSubMessage): string | ArrayBuffer {
    if (message.kind === "sendToGroup") message.noEcho = true;
    return this.inner.writeMessage(message);
  }
}
const parsed = WebPubSubJsonReliableProtocol().parseMessages(Buffer.from("{}"));
const written: string | ArrayBuffer = WebPubSubJsonReliableProtocol().writeMessage({
  kind: "joinGroup",
  group: "g",
  ackId: 1,
});

const options: WebPubSubClientOptions = {
  protocol: new OwnProtocol(),
  autoReconnect: true,
  autoRejoinGroups: false,
  messageRetryOptions: retries,
  reconnectRetryOptions: fixed,
  keepAliveTimeoutInMs: 0,
  keepAliveIntervalInMs: 1,
};
options.protocol = WebPubSubJsonReliableProtocol();

export class Room extends WebPubSubClient {
  readonly names: string[] = [];
  override async joinGroup(groupName: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    this.names.push(groupName);
    return super.joinGroup(groupName, options);
  }
}

const client = new WebPubSubClient("wss://example.com", options);
new WebPubSubClient("wss://example.com");
for (const credential of credentials) new WebPubSubClient(credential);
const room: WebPubSubClient = new Room(credentials[0]!, { ...options, autoReconnect: false });

// Listeners of every event, with named and with inferred arguments.
const onConnected = (e: OnConnectedArgs): void => console.log(e.connectionId.length, e.userId.length);
const onDisconnected = ({ connectionId, message }: OnDisconnectedArgs) => console.log(connectionId, message?.message);
const onStopped = (_e: OnStoppedArgs) => {};
const onServerMessage = async ({ message }: OnServerDataMessageArgs) => console.log(shown(message.data));
const onGroupMessage = ({ message }: OnGroupDataMessageArgs) => console.log(message.group, message.fromUserId);
const onRejoinFailed = (e: OnRejoinGroupFailedArgs) => console.log(e.group, e.error.message, e.error.stack);
client.on("connected", onConnected);
client.on("disconnected", onDisconnected);
client.on("stopped", onStopped);
client.on("server-message", onServerMessage);
client.on("group-message", onGroupMessage);
client.on("rejoin-group-failed", onRejoinFailed);
client.on("connected", () => {});
client.on("disconnected", (e) => console.log(e.message === undefined, e.connectionId?.length));
client.on("stopped", () => console.log("stopped"));
client.on("server-message", async (e) => {
  if (e.message.data instanceof ArrayBuffer) console.log(e.message.data.byteLength);
  else console.log(e.message.dataType === "json" ? (e.message.data as { a: number }).a : e.message.data);
});
client.on("group-message", ({ message: { data, dataType, stream } }) => console.log(data, dataType, stream?.streamId));
client.on("rejoin-group-failed", ({ error, group }) => console.log(error, group));
client.off("connected", onConnected);
client.off("disconnected", onDisconnected);
client.off("stopped", onStopped);
client.off("server-message", onServerMessage);
client.off("group-message", onGroupMessage);
client.off("rejoin-group-failed", onRejoinFailed);

export async function main(): Promise<void> {
  const start: StartOptions = { abortSignal: like };
  await client.start(start);
  await room.start();
  const join: JoinGroupOptions = { ackId: 1, abortSignal: signal };
  const leave: LeaveGroupOptions = { ackId: 2, abortSignal: like };
  const toGroup: SendToGroupOptions = { ackId: 3, noEcho: true, fireAndForget: false, abortSignal: signal };
  const event: SendEventOptions = { ackId: 4, fireAndForget: true, abortSignal: signal };
  const invoke: InvokeEventOptions = { invocationId: "i", abortSignal: signal };
  const joined: WebPubSubResult = await client.joinGroup("g", join);
  await client.joinGroup("g");
  console.log(joined.ackId?.toFixed(), joined.isDuplicated ? 1 : 0);
  const { ackId, isDuplicated } = await client.leaveGroup("g", leave);
  console.log(ackId, isDuplicated);
  const bytes: ArrayBuffer = new Uint8Array([1]).buffer;
  const payloads: [JSONTypes | ArrayBuffer, WebPubSubDataType][] = [
    ["t", "text"],
    [bytes, "binary"],
    [1, "json"],
    [{}, "json"],
    [[1], "json"],
    [bytes, "protobuf"],
    [true, "json"],
  ];
  for (const [content, dataType] of payloads) {
    await client.sendToGroup("g", content, dataType, toGroup);
    await client.sendEvent("e", content, dataType, event);
    const answered: InvokeEventResult = await client.invokeEvent("e", content, dataType, invoke);
    const data: JSONTypes | ArrayBuffer | undefined = answered.data;
    console.log(answered.invocationId, answered.dataType, data);
  }
  await client.sendToGroup("g", "hi", "text");
  await client.sendEvent("e", { any: [1] }, "json");
  const { data } = await client.invokeEvent("e", "hi", "text");
  if (data !== undefined) console.log(shown(data));

  const open: OpenGroupStreamOptions = { streamId: "s", noEcho: true, idleTimeoutInMs: 1 };
  const writer: GroupStreamWriter = await client.openGroupStream("g", open);
  const write: GroupStreamWriteOptions = { abortSignal: signal };
  const end: EndGroupStreamOptions = { abortSignal: signal };
  const abort: AbortGroupStreamOptions = { abortSignal: signal };
  const why: StreamEndError = { message: "m", userErrorCode: "u" };
  const ignore: () => void = writer.onError((error: StreamDataError) =>
    console.log(error.name, error.message, error.userErrorCode),
  );
  await writer.write("t", "text", write);
  await writer.write(bytes, "binary");
  await writer.end(end);
  await writer.abort(why, abort);
  await (await client.openGroupStream(writer.streamId)).end();
  ignore();

  const listen: OnGroupStreamOptions = { idleTimeoutInMs: 1, handleFromStart: true, groupNames: ["g"] };
  const subscription: GroupStreamSubscription = client.onGroupStream(async (stream: GroupStream) => {
    stream.abortSignal.addEventListener("abort", () => {});
    for await (const message of stream) {
      const { groupName, fromUserId, sequenceId, dataType, data, stream: info }: GroupStreamMessage = message;
      console.log(
        groupName,
        fromUserId,
        sequenceId,
        dataType,
        shown(data),
        info.endOfStream,
        stream.groupName,
        stream.streamId,
      );
    }
  }, listen);
  if (subscription.isActive) await subscription.close();
  await using scoped = client.onGroupStream((stream) => console.log(stream.streamId));
  console.log(scoped.isActive);

  try {
    await client.joinGroup("g");
  } catch (error) {
    if (error instanceof SendMessageError) {
      const { name, message, ackId, errorDetail, stack }: SendMessageError = error;
      const detail: AckMessageError | undefined = errorDetail;
      console.log(name, message, ackId?.toFixed(), detail?.name.length, detail?.message.length, stack);
    } else if (error instanceof InvocationError) {
      const { name, invocationId, errorDetail } = error;
      console.log(name, invocationId.length, errorDetail?.name, errorDetail?.message);
    }
  }
  client.stop();
}

// What an application makes itself, as its tests do.
const sendOptions: SendMessageErrorOptions = { ackId: 1, errorDetail: { name: "Forbidden", message: "" } };
const invocationOptions: InvocationErrorOptions = { invocationId: "i", errorDetail: { name: "n", message: "m" } };
const failures: Error[] = [new SendMessageError("m", sendOptions), new InvocationError("m", invocationOptions)];
type Sender = Pick<
  WebPubSubClient,
  "joinGroup" | "leaveGroup" | "sendToGroup" | "sendEvent" | "invokeEvent" | "start" | "stop"
>;
const fake: Sender = {
  start: async () => {},
  stop: () => {},
  joinGroup: async (groupName: string, options?: JoinGroupOptions) => ({
    ackId: options?.ackId ?? groupName.length,
    isDuplicated: false,
  }),
  leaveGroup: async () => ({ isDuplicated: false }),
  sendToGroup: async (_group: string, content: JSONTypes | ArrayBuffer) => ({
    ackId: shown(content).length,
    isDuplicated: false,
  }),
  sendEvent: async (
    _event: string,
    content: JSONTypes | ArrayBuffer,
    _type: WebPubSubDataType,
    options?: SendEventOptions,
  ) => ({ ackId: options?.fireAndForget ? undefined : shown(content).length, isDuplicated: false }),
  invokeEvent: async (_event, _content, dataType, options) => ({
    invocationId: options?.invocationId ?? "i",
    dataType,
  }),
};
const real: Sender = client;
const events: Parameters<WebPubSubClient["sendToGroup"]>[3] = { noEcho: true };
const result: ReturnType<WebPubSubClient["sendEvent"]> = Promise.resolve({ isDuplicated: true });
export { base, dataTypes, events, failures, fake, parsed, real, result, total, written };
