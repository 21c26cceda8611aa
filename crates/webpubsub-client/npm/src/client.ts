import type { Client as Core, Host } from "#core";
import { loadCore, onWake } from "#platform";
import { type Call, Calls } from "./calls.js";
import {
  ABORTED,
  abortError,
  checkName,
  InvocationError,
  invocationError,
  isRunningAlready,
  named,
  SendMessageError,
  sendError,
} from "./errors.js";
import { upstream } from "./kinds.js";
import { LazyGroups } from "./lazy.js";
import { Listeners } from "./listeners.js";
import type {
  AbortSignalLike,
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
  WebPubSubClientProtocol,
  WebPubSubDataType,
  WebPubSubMessage,
  WebPubSubResult,
} from "./models.js";
import { messageOf, payloadOf } from "./outgoing.js";
import { WebPubSubJsonReliableProtocol } from "./protocols.js";
import { checkedCredential, checkedOptions, checkedProtocol, coreOptions } from "./settings.js";
import * as signal from "./signal.js";
import { Sockets } from "./sockets.js";
import { asError, asText, report } from "./values.js";

/** What the service says of an anonymous user, and Microsoft's client passes on against its own type. */
const NO_USER = null as unknown as string;

// What a client does, and when, is decided in Rust: `../../src/client.rs`, the core. This class checks
// arguments, and loads the core when it is first needed.

/** A client of Azure Web PubSub, with the public surface of `@azure/web-pubsub-client`. */
export class WebPubSubClient {
  readonly #options: WebPubSubClientOptions;
  readonly #protocol: WebPubSubClientProtocol;
  readonly #sockets: Sockets;
  readonly #listeners = new Listeners();
  readonly #calls = new Calls(
    (use) => this.#withCore(use),
    () => this.#hold(),
  );
  #core?: Core;
  /** What to do once the core is loaded; none while nothing has asked for it. */
  #waiting?: Array<(core: Core) => void>;
  /** From a start until it fails or the client has stopped. */
  #isRunning = false;
  /**
   * What the core knows this client by. It is empty while nothing goes on: then a client that the
   * application has let go of can be collected, and its core with it.
   */
  readonly #held: { client?: WebPubSubClient } = {};
  #startSignal?: AbortSignalLike;
  #ignoreWaking?: () => void;
  readonly #groups = new LazyGroups({
    send: (message) => this.#send(message, undefined),
    operate: (options, message) =>
      this.#acknowledged(options, (core, id, ackId) => (core.other(id, { call: id, message: message() }, ackId), 0)),
    payload: (content, dataType) => payloadOf(this.#protocol, 0, content, dataType),
    checkName,
    changed: (group) => this.#listeners.emit("group-states-changed", { group }),
    renewalFailed: (group, error) => this.#listeners.emit("rejoin-group-failed", { group, error }),
    report,
  });

  /** @param clientAccessUrl - used for every connection */
  constructor(clientAccessUrl: string, options?: WebPubSubClientOptions);
  /** @param credential - where URLs come from: a function is asked for every new connection */
  constructor(credential: WebPubSubClientCredential, options?: WebPubSubClientOptions);
  constructor(credential: string | WebPubSubClientCredential, options?: WebPubSubClientOptions) {
    const checked = checkedCredential(credential);
    this.#options = checkedOptions(options);
    this.#protocol = checkedProtocol(this.#options.protocol ?? WebPubSubJsonReliableProtocol());
    this.#sockets = new Sockets(checked, this.#protocol, this.#options.webSocketFactory ?? undefined);
  }

  /** Adds a listener. One that throws is reported, and disturbs nothing else. */
  on<E extends keyof WebPubSubClientEvents>(event: E, listener: (args: WebPubSubClientEvents[E]) => void): void {
    this.#listeners.add(event, listener);
  }

  /** Takes a listener away. */
  off<E extends keyof WebPubSubClientEvents>(event: E, listener: (args: WebPubSubClientEvents[E]) => void): void {
    this.#listeners.remove(event, listener);
  }

  /**
   * Connects. Done when the socket is open; the event `connected` follows. A first attempt that
   * fails is not repeated: it rejects with a `ConnectError` or with what the credential threw.
   */
  start(options?: StartOptions): Promise<void> {
    const abortSignal = options?.abortSignal;
    if (abortSignal?.aborted) return Promise.reject(abortError("The start was aborted.", abortSignal));
    const begin = (core: Core, id: number) => {
      if (!this.#isRunning) this.#startSignal = abortSignal;
      this.#isRunning = true;
      core.signal(signal.START, id, 0);
    };
    return this.#calls.make(abortSignal, begin, (error) => error);
  }

  /** Disconnects, and gives up whatever is under way. The event `stopped` follows. */
  stop(): void {
    const stop = (core: Core) => core.signal(signal.STOP, 0, 0);
    if (this.#core) stop(this.#core);
    else this.#waiting?.push(stop);
  }

  /** Joins a group. The client joins it again on later connections. */
  joinGroup(groupName: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    return this.#operate("joinGroup", groupName, options).then((result) => {
      this.#groups.joined(groupName, true);
      return result;
    });
  }

  /** Leaves a group. */
  leaveGroup(groupName: string, options?: LeaveGroupOptions): Promise<WebPubSubResult> {
    return this.#operate("leaveGroup", groupName, options).then((result) => {
      this.#groups.joined(groupName, false);
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
    return this.#operate("sendToGroup", groupName, options, { content, dataType });
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
    return this.#operate("sendEvent", eventName, options, { content, dataType });
  }

  /**
   * Sends an event to the application's server and waits for its answer. One that fails is not tried
   * again: it rejects with an `InvocationError`.
   *
   * @param content - as for `sendToGroup`
   */
  invokeEvent(
    eventName: string,
    content: JSONTypes | ArrayBuffer | ArrayBufferView,
    dataType: WebPubSubDataType,
    options?: InvokeEventOptions,
  ): Promise<InvokeEventResult> {
    const { invocationId, abortSignal } = options ?? {};
    if (abortSignal?.aborted) {
      return Promise.reject(invocationError(ABORTED, invocationId ?? ""));
    }
    const begin = (core: Core, id: number) => {
      if (invocationId != null && (typeof invocationId !== "string" || invocationId === "")) {
        throw new TypeError("invocationId must be a string that is not empty.");
      }
      checkName(
        core.invoke(id, asText(eventName), payloadOf(this.#protocol, id, content, dataType), invocationId ?? ""),
      );
    };
    const refused = (cause: Error) => new InvocationError(cause.message, { invocationId: invocationId ?? "", cause });
    return this.#calls.make(abortSignal, begin, refused);
  }

  /** Opens a stream to a group. Done when the service has accepted it. */
  async openGroupStream(groupName: string, options?: OpenGroupStreamOptions): Promise<GroupStreamWriter> {
    return (await this.#groups.load()).open(groupName, options);
  }

  /** Listens to the streams of groups that this client is a member of: each is passed to `callback` once. */
  onGroupStream(callback: (stream: GroupStream) => unknown, options?: OnGroupStreamOptions): GroupStreamSubscription {
    return this.#groups.receive(callback, options);
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
    return (await this.#groups.load()).setState(groupName, copy ?? null, options);
  }

  /** Clears what this connection shows of itself in a group. */
  async clearGroupState(groupName: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    return (await this.#groups.load()).setState(groupName, undefined, options);
  }

  /** Subscribes to the states of a group's members. The client does so again on later connections. */
  async subscribeGroupStates(groupName: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    return (await this.#groups.load()).subscribeStates(groupName, options);
  }

  /** Ends a subscription to the states of a group's members. */
  async unsubscribeGroupStates(groupName: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    return (await this.#groups.load()).unsubscribeStates(groupName, options);
  }

  /**
   * What this connection shows of itself in a group.
   *
   * @throws an `Error` where it has not joined the group.
   */
  getGroupState(groupName: string): Record<string, string> | undefined {
    return this.#groups.own(groupName);
  }

  /**
   * The states of the members of a group, as far as they are known.
   *
   * @throws an `Error` where they are not subscribed to.
   */
  listGroupStates(groupName: string): GroupStateRecord[] {
    return this.#groups.list(groupName);
  }

  /** An operation on a group, or an event. */
  #operate(
    kind: "joinGroup" | "leaveGroup" | "sendToGroup" | "sendEvent",
    name: string,
    options: SendToGroupOptions | undefined,
    payload?: { content: unknown; dataType: WebPubSubDataType },
  ): Promise<WebPubSubResult> {
    const { noEcho = false, fireAndForget = false } = options ?? {};
    return this.#acknowledged(options, (core, id, ackId) => {
      const data = payload && payloadOf(this.#protocol, id, payload.content, payload.dataType);
      return core.operate(id, upstream.indexOf(kind), asText(name), data, noEcho, fireAndForget, ackId);
    });
  }

  /** Has something done that the service acknowledges. */
  #acknowledged(
    options: JoinGroupOptions | undefined,
    begin: (core: Core, id: number, ackId: number) => number,
  ): Promise<WebPubSubResult> {
    const { ackId, abortSignal } = options ?? {};
    if (abortSignal?.aborted) return Promise.reject(sendError(ABORTED, ackId));
    const checked = (core: Core, id: number) => {
      if (ackId != null && !(Number.isSafeInteger(ackId) && ackId >= 0)) {
        throw new RangeError("ackId must be a whole number from 0 to 2^53 - 1.");
      }
      checkName(begin(core, id, ackId ?? -1));
    };
    return this.#calls.make(abortSignal, checked, (cause) => new SendMessageError(cause.message, { ackId, cause }));
  }

  /** Uses the core: at once, or in turn as soon as it is loaded. */
  #withCore(use: (core: Core) => void): void {
    if (this.#core) {
      use(this.#core);
      return;
    }
    if (this.#waiting) {
      this.#waiting.push(use);
      return;
    }
    this.#waiting = [use];
    Promise.all([loadCore(), this.#protocol.load?.()]).then(
      ([{ Client: Core }]) => {
        const host = WebPubSubClient.#host(this.#held);
        const core = new Core(host, this.#protocol.isReliableSubProtocol, ...coreOptions(this.#options));
        this.#core = core;
        for (const use of this.#waiting!.splice(0)) use(core);
      },
      (error) => {
        this.#waiting = undefined;
        this.#calls.rejectAll(error);
      },
    );
  }

  #hold(): void {
    this.#held.client = this.#isRunning || this.#calls.areThere ? this : undefined;
  }

  /** What the core calls: see `../../src/host.rs`. */
  static #host(held: { client?: WebPubSubClient }): Host {
    // There is a client while something goes on, and only then is there anything to pass on to it.
    const client = () => held.client!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const call = (id: number) => client().#calls.get(id);
    const emit = <E extends keyof WebPubSubClientEvents>(event: E, args: WebPubSubClientEvents[E]) =>
      client().#listeners.emit(event, args);
    const ackIdOf = (number: number) => (number < 0 ? undefined : number);
    return {
      fetchUrl: (attempt) => void client().#sockets.fetchUrl(client().#core!, attempt, client().#startSignal),
      openSocket: (attempt, url) => client().#openSocket(attempt, url),
      closeSocket: (attempt) => client().#sockets.close(attempt),
      send: (kind, name, id, number, flag, payload) =>
        client().#send(messageOf(kind, name, id, ackIdOf(number), flag, payload), payload?.call),
      sendOther: ({ call, message }, ackId) => client().#send(ackId < 0 ? message : { ...message, ackId }, call),
      setTimer: (milliseconds) => {
        clearTimeout(timer);
        if (milliseconds >= 0) timer = setTimeout(() => client().#core!.signal(signal.TIMEOUT, 0, 0), milliseconds);
      },
      started: (id) => client().#started(call(id)),
      startFailed: (id, problem, number) => void client().#startFailed(call(id), problem, number),
      done: (id, ackId, isDuplicated) => call(id)?.resolve(ackId < 0 ? { isDuplicated } : { ackId, isDuplicated }),
      failed: (id, problem, ackId, name, text) => call(id)?.reject(sendError(problem, ackIdOf(ackId), name, text)),
      invoked: (id, { invocationId, dataType, data }) => call(id)?.resolve({ invocationId, dataType, data }),
      invocationFailed: (id, invocationId, problem, name, text) =>
        call(id)?.reject(invocationError(problem, invocationId, name, text)),
      connected: (connectionId, userId) => {
        client().#groups.note((groups) => groups.connected());
        emit("connected", { connectionId, userId: userId ?? NO_USER });
      },
      disconnected: (connectionId, text, code, reason, willReconnect) => {
        const message = text === undefined ? undefined : { kind: "disconnected" as const, message: text };
        client().#groups.lost();
        emit("disconnected", { connectionId, message, code, reason, willReconnect });
      },
      stopped: (code, reason) => client().#stopped(code, reason),
      recovery: (isOver, connectionId) => {
        client().#groups.recovery(isOver);
        emit(isOver ? "recovered" : "recovering", { connectionId });
      },
      message: (message) => client().#raise(message),
      rejoinFailed: (group, problem, ackId, name, text) =>
        emit("rejoin-group-failed", { group, error: sendError(problem, ackIdOf(ackId), name, text) }),
    };
  }

  #openSocket(attempt: number, url: string): boolean {
    const opened = () => this.#groups.opened();
    return this.#sockets.open(this.#core!, attempt, url, opened, (message) => this.#raise(message));
  }

  /** Passes a message of the service to the application, and to its streams and states. */
  #raise(message: any): void {
    const { kind, stream } = message;
    if (stream || !kind.endsWith("Data")) this.#groups.note((groups) => groups.message(message));
    if (kind === "groupData") this.#listeners.emit("group-message", { message });
    else if (kind === "serverData") this.#listeners.emit("server-message", { message });
  }

  /** Has the protocol write a message, and the socket send it. */
  #send(message: WebPubSubMessage, call: number | undefined) {
    let frame: string | ArrayBuffer;
    try {
      frame = this.#protocol.writeMessage(message);
    } catch (error) {
      return this.#unwritten(message, asError(error), call ?? this.#calls.beginning);
    }
    this.#sockets.send(frame);
  }

  /** Answers for a message that the protocol cannot write. */
  #unwritten(message: WebPubSubMessage, cause: Error, id: number | undefined): void {
    const core = this.#core!;
    const call = id === undefined ? undefined : this.#calls.get(id);
    const { ackId, invocationId } = message as { ackId?: number; invocationId?: string };
    if (call && id !== undefined) {
      call.reject(
        message.kind === "invoke"
          ? new InvocationError(cause.message, { invocationId: invocationId!, cause })
          : new SendMessageError(cause.message, { ackId, cause }),
      );
      core.signal(signal.ABORT, id, 0);
    } else if (ackId === undefined) report(cause);
    // The session waits for an ack.
    else core.refused(this.#sockets.attempt, ackId, cause.name, cause.message);
  }

  #started(call: Call | undefined): void {
    this.#startSignal = undefined;
    this.#ignoreWaking = onWake(() => this.#core!.signal(signal.WAKE, 0, 0));
    call?.resolve();
  }

  async #startFailed(call: Call | undefined, problem: number, number: number): Promise<void> {
    // A start that came too early or too late says nothing about the one that runs.
    if (!isRunningAlready(problem)) this.#isRunning = false;
    call?.reject(await this.#sockets.failure(problem, number, call.abortSignal));
  }

  #stopped(code: number, reason: string): void {
    this.#ignoreWaking?.();
    this.#isRunning = false;
    this.#groups.note((groups) => groups.stopped());
    this.#listeners.emit("stopped", code ? { code, reason } : {});
    this.#hold();
  }
}

named(WebPubSubClient, "WebPubSubClient");
