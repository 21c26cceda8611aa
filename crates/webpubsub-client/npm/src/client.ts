// The class that an application uses. The work is the driver's.
import { Driver } from "./driver.js";
import { named } from "./errors.js";
import { JOIN_GROUP, LEAVE_GROUP, SEND_EVENT, SEND_TO_GROUP } from "./inputs.js";
import type {
  GroupStateRecord,
  GroupStream,
  GroupStreamSubscription,
  GroupStreamWriter,
  InvokeEventOptions,
  InvokeEventResult,
  JoinGroupOptions,
  JSONTypes,
  LeaveGroupOptions,
  OnGroupStreamOptions,
  OpenGroupStreamOptions,
  SendEventOptions,
  SendToGroupOptions,
  StartOptions,
  WebPubSubClientCredential,
  WebPubSubClientEvents,
  WebPubSubClientOptions,
  WebPubSubDataType,
  WebPubSubResult,
} from "./models.js";

/** A client of Azure Web PubSub, with the public surface of `@azure/web-pubsub-client`. */
export class WebPubSubClient {
  readonly #driver: Driver;

  /** @param clientAccessUrl - used for every connection */
  constructor(clientAccessUrl: string, options?: WebPubSubClientOptions);
  /** @param credential - where URLs come from: a function is asked for every new connection */
  constructor(credential: WebPubSubClientCredential, options?: WebPubSubClientOptions);
  constructor(credential: string | WebPubSubClientCredential, options?: WebPubSubClientOptions) {
    this.#driver = new Driver(credential, options);
  }

  /** Adds a listener. One that throws is reported, and disturbs nothing else. */
  on<E extends keyof WebPubSubClientEvents>(event: E, listener: (args: WebPubSubClientEvents[E]) => void): void {
    this.#driver.listeners.add(event, listener);
  }

  /** Takes a listener away. */
  off<E extends keyof WebPubSubClientEvents>(event: E, listener: (args: WebPubSubClientEvents[E]) => void): void {
    this.#driver.listeners.remove(event, listener);
  }

  /**
   * Connects. Done when the socket is open; the event `connected` follows. A first attempt that
   * fails is not repeated: it rejects with a `ConnectError` or with what the credential threw.
   */
  start(options?: StartOptions): Promise<void> {
    return this.#driver.start(options?.abortSignal);
  }

  /** Disconnects, and gives up whatever is under way. The event `stopped` follows. */
  stop(): void {
    this.#driver.stop();
  }

  /** Joins a group. The client joins it again on later connections. */
  joinGroup(groupName: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    return this.#driver.operate(JOIN_GROUP, groupName, options).then((result) => {
      this.#driver.groups.joined(groupName, true);
      return result;
    });
  }

  /** Leaves a group. */
  leaveGroup(groupName: string, options?: LeaveGroupOptions): Promise<WebPubSubResult> {
    return this.#driver.operate(LEAVE_GROUP, groupName, options).then((result) => {
      this.#driver.groups.joined(groupName, false);
      return result;
    });
  }

  /**
   * Publishes to a group, which this client need not have joined.
   *
   * @param content - a string for `text`; an `ArrayBuffer`, or a view of one, for `binary` and
   * `protobuf`; any JSON value but `null` for `json`
   */
  sendToGroup(
    groupName: string,
    content: JSONTypes | ArrayBuffer | ArrayBufferView,
    dataType: WebPubSubDataType,
    options?: SendToGroupOptions,
  ): Promise<WebPubSubResult> {
    return this.#driver.operate(SEND_TO_GROUP, groupName, options, { content, dataType });
  }

  /**
   * Sends an event to the application's server.
   *
   * @param content - as for `sendToGroup`
   */
  sendEvent(
    eventName: string,
    content: JSONTypes | ArrayBuffer | ArrayBufferView,
    dataType: WebPubSubDataType,
    options?: SendEventOptions,
  ): Promise<WebPubSubResult> {
    return this.#driver.operate(SEND_EVENT, eventName, options, { content, dataType });
  }

  /**
   * Sends an event to the application's server and waits for its answer. One that fails is not tried
   * again: it rejects with an `InvocationError`.
   *
   * @param content - as for `sendToGroup`; without any, the event has no payload
   */
  invokeEvent(
    eventName: string,
    content: JSONTypes | ArrayBuffer | ArrayBufferView,
    dataType: WebPubSubDataType,
    options?: InvokeEventOptions,
  ): Promise<InvokeEventResult> {
    return this.#driver.invoke(eventName, content, dataType, options);
  }

  /** Opens a stream to a group. Done when the service has accepted it. */
  async openGroupStream(groupName: string, options?: OpenGroupStreamOptions): Promise<GroupStreamWriter> {
    return (await this.#driver.groups.load()).open(groupName, options);
  }

  /** Listens to the streams of groups that this client is a member of: each is passed to `callback` once. */
  onGroupStream(callback: (stream: GroupStream) => unknown, options?: OnGroupStreamOptions): GroupStreamSubscription {
    return this.#driver.groups.receive(callback, options);
  }

  /**
   * Sets what this connection shows of itself in a group that it is a member of: strings by name, for the service at
   * most 256 of them and 4,096 bytes as JSON.
   */
  async setGroupState(
    groupName: string,
    state: Record<string, string>,
    options?: JoinGroupOptions,
  ): Promise<WebPubSubResult> {
    // As it is now, and as it is, if it is none: that is refused.
    const copy = typeof state === "object" && !Array.isArray(state) ? { ...state } : state;
    return (await this.#driver.groups.load()).setState(groupName, copy ?? null, options);
  }

  /** Clears what this connection shows of itself in a group. */
  async clearGroupState(groupName: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    return (await this.#driver.groups.load()).setState(groupName, undefined, options);
  }

  /** Subscribes to the states of a group's members. The client does so again on later connections. */
  async subscribeGroupStates(groupName: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    return (await this.#driver.groups.load()).subscribeStates(groupName, options);
  }

  /** Ends a subscription to the states of a group's members. */
  async unsubscribeGroupStates(groupName: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    return (await this.#driver.groups.load()).unsubscribeStates(groupName, options);
  }

  /**
   * What this connection shows of itself in a group.
   *
   * @throws an `Error` where it has not joined the group.
   */
  getGroupState(groupName: string): Record<string, string> | undefined {
    return this.#driver.groups.own(groupName);
  }

  /**
   * The states of the members of a group, as far as they are known.
   *
   * @throws an `Error` where they are not subscribed to.
   */
  listGroupStates(groupName: string): GroupStateRecord[] {
    return this.#driver.groups.list(groupName);
  }
}

named(WebPubSubClient, "WebPubSubClient");
