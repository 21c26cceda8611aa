import type { Client as Core, Host } from "#core";
import { explain, loadCore, onWake, openSocket } from "#platform";
import {
  ABORTED,
  abortError,
  checkName,
  type Explanation,
  InvocationError,
  invocationError,
  isRunningAlready,
  named,
  SendMessageError,
  sendError,
  startError,
} from "./errors.js";
import { read } from "./incoming.js";
import { LazyGroups } from "./lazy.js";
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
  WebPubSubRetryOptions,
  WebSocketLike,
} from "./models.js";
import { messageOf, payloadOf } from "./outgoing.js";
import { WebPubSubJsonReliableProtocol } from "./protocols.js";
import { asError, asNumber, asText, report } from "./values.js";

type EventName = keyof WebPubSubClientEvents;
type Listener<E extends EventName> = (args: WebPubSubClientEvents[E]) => void;

/** A call of the application that waits for the core's answer. */
interface Call {
  resolve(value?: unknown): void;
  reject(error: unknown): void;
  abortSignal?: AbortSignalLike;
}

const retries = (options: WebPubSubRetryOptions | undefined) => {
  const { maxRetries, retryDelayInMs, maxRetryDelayInMs, mode } = options ?? {};
  return [asNumber(maxRetries), asNumber(retryDelayInMs), asNumber(maxRetryDelayInMs), mode === "Exponential"] as const;
};

/** What the service says of an anonymous user, and Microsoft's client passes on against its own type. */
const NO_USER = null as unknown as string;

// What a client does, and when, is decided in Rust: `../../src/client.rs`, the core. This class keeps
// the listeners, checks arguments, and loads the core when it is first needed.

/** A client of Azure Web PubSub, with the public surface of `@azure/web-pubsub-client`. */
export class WebPubSubClient {
  readonly #credential: WebPubSubClientCredential;
  readonly #options: WebPubSubClientOptions;
  readonly #protocol: WebPubSubClientProtocol;
  readonly #listeners = new Map<EventName, Listener<never>[]>();
  readonly #calls = new Map<number, Call>();
  #lastCall = 0;
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
  /** The newest socket, and the attempt that it was opened for. */
  #socket?: { attempt: number; socket: WebSocketLike };
  /** The call that is being begun. */
  #beginning?: number;
  /** The newest URL, and what went wrong with it. */
  #url = "";
  #explanation: Explanation = {};
  #cause: unknown;
  #ignoreWaking?: () => void;
  readonly #groups = new LazyGroups({
    send: (message) => this.#send(message, undefined),
    operate: (options, message) =>
      this.#operate(options, (core, id, ackId) => (core.other(id, { call: id, message: message() }, ackId), 0)),
    payload: (content, dataType) => payloadOf(this.#protocol, 0, content, dataType),
    checkName,
    changed: (group) => this.#emit("group-states-changed", { group }),
    renewalFailed: (group, error) => this.#emit("rejoin-group-failed", { group, error }),
    report,
  });

  /** @param clientAccessUrl - used for every connection */
  constructor(clientAccessUrl: string, options?: WebPubSubClientOptions);
  /** @param credential - where URLs come from: a function is asked for every new connection */
  constructor(credential: WebPubSubClientCredential, options?: WebPubSubClientOptions);
  constructor(credential: string | WebPubSubClientCredential, options?: WebPubSubClientOptions) {
    this.#credential = typeof credential === "string" ? { getClientAccessUrl: credential } : credential;
    if (!["string", "function"].includes(typeof this.#credential?.getClientAccessUrl)) {
      throw new TypeError("A WebPubSubClient needs a client access URL, or an object with getClientAccessUrl.");
    }
    this.#options = { ...options };
    for (const name of ["keepAliveTimeoutInMs", "keepAliveIntervalInMs"] as const) {
      if (!((this.#options[name] ?? 0) >= 0)) throw new RangeError(`${name} must be greater than or equal to 0.`);
    }
    this.#protocol = this.#options.protocol ?? WebPubSubJsonReliableProtocol();
    const { name, parseMessages, writeMessage } = this.#protocol;
    if (!name || typeof name !== "string" || typeof parseMessages !== "function" || typeof writeMessage !== "function")
      throw new TypeError("A protocol has a name, parseMessages and writeMessage.");
  }

  /** Adds a listener. One that throws is reported, and disturbs nothing else. */
  on<E extends EventName>(event: E, listener: Listener<E>): void {
    if (typeof listener !== "function") throw new TypeError("The listener must be a function.");
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  /** Takes a listener away. */
  off<E extends EventName>(event: E, listener: Listener<E>): void {
    const listeners = this.#listeners.get(event) ?? [];
    const index = listeners.lastIndexOf(listener);
    this.#listeners.set(
      event,
      listeners.filter((_, at) => at !== index),
    );
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
      core.start(id);
    };
    return this.#call(abortSignal, begin, (error) => error);
  }

  /** Disconnects, and gives up whatever is under way. The event `stopped` follows. */
  stop(): void {
    if (this.#core) this.#core.stop();
    else this.#waiting?.push((core) => core.stop());
  }

  /** Joins a group. The client joins it again on later connections. */
  joinGroup(groupName: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    const joined = this.#operate(options, (core, id, ackId) => core.joinGroup(id, asText(groupName), ackId));
    return joined.then((result) => (this.#groups.joined(groupName, true), result));
  }

  /** Leaves a group. */
  leaveGroup(groupName: string, options?: LeaveGroupOptions): Promise<WebPubSubResult> {
    const left = this.#operate(options, (core, id, ackId) => core.leaveGroup(id, asText(groupName), ackId));
    return left.then((result) => (this.#groups.joined(groupName, false), result));
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
    const { noEcho = false, fireAndForget = false } = options ?? {};
    return this.#operate(options, (core, id, ackId) =>
      core.sendToGroup(
        id,
        asText(groupName),
        payloadOf(this.#protocol, id, content, dataType),
        noEcho,
        fireAndForget,
        ackId,
      ),
    );
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
    const { fireAndForget = false } = options ?? {};
    return this.#operate(options, (core, id, ackId) =>
      core.sendEvent(id, asText(eventName), payloadOf(this.#protocol, id, content, dataType), fireAndForget, ackId),
    );
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
        core.invokeEvent(
          id,
          asText(eventName),
          payloadOf(this.#protocol, id, content, dataType),
          invocationId ?? undefined,
        ),
      );
    };
    const refused = (cause: Error) => new InvocationError(cause.message, { invocationId: invocationId ?? "", cause });
    return this.#call(abortSignal, begin, refused);
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

  #operate(
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
    return this.#call(abortSignal, checked, (cause) => new SendMessageError(cause.message, { ackId, cause }));
  }

  /**
   * Numbers a call and begins it; the core answers to the number. What the application's arguments
   * make `begin` throw rejects at once, as what `refused` makes of it.
   */
  #call<T>(
    abortSignal: AbortSignalLike | undefined,
    begin: (core: Core, id: number) => void,
    refused: (cause: Error) => unknown,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const id = ++this.#lastCall;
      const abort = () => this.#withCore((core) => core.abort(id));
      const end = () => {
        abortSignal?.removeEventListener("abort", abort);
        this.#calls.delete(id);
        this.#hold();
      };
      const call: Call = {
        resolve: (value) => (end(), resolve(value as T)),
        reject: (error) => (end(), reject(error)),
        abortSignal,
      };
      this.#calls.set(id, call);
      this.#hold();
      abortSignal?.addEventListener("abort", abort);
      this.#withCore((core) => {
        try {
          this.#beginning = id;
          begin(core, id);
        } catch (error) {
          call.reject(refused(asError(error)));
        } finally {
          this.#beginning = undefined;
        }
      });
    });
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
        const options = this.#options;
        const core = (this.#core = new Core(
          WebPubSubClient.#host(this.#held),
          this.#protocol.isReliableSubProtocol,
          options.autoReconnect ?? true,
          options.autoRejoinGroups ?? true,
          ...retries(options.messageRetryOptions),
          ...retries(options.reconnectRetryOptions),
          asNumber(options.keepAliveTimeoutInMs),
          asNumber(options.keepAliveIntervalInMs),
        ));
        for (const use of this.#waiting!.splice(0)) use(core);
      },
      (error) => {
        this.#waiting = undefined;
        for (const call of [...this.#calls.values()]) call.reject(error);
      },
    );
  }

  #hold(): void {
    this.#held.client = this.#isRunning || this.#calls.size > 0 ? this : undefined;
  }

  /** What the core calls: see `../../src/host.rs`. */
  static #host(held: { client?: WebPubSubClient }): Host {
    // There is a client while something goes on, and only then is there anything to pass on to it.
    const client = () => held.client!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const call = (id: number) => client().#calls.get(id);
    const emit = <E extends EventName>(event: E, args: WebPubSubClientEvents[E]) => client().#emit(event, args);
    const ackIdOf = (number: number) => (number < 0 ? undefined : number);
    return {
      fetchUrl: (attempt) => void client().#fetchUrl(attempt),
      openSocket: (attempt, url) => client().#openSocket(attempt, url),
      closeSocket: (attempt) => client().#closeSocket(attempt),
      send: (kind, name, id, number, flag, payload) =>
        client().#send(messageOf(kind, name, id, ackIdOf(number), flag, payload), payload?.call),
      sendOther: ({ call, message }, ackId) => client().#send(ackId < 0 ? message : { ...message, ackId }, call),
      setTimer: (milliseconds) => {
        clearTimeout(timer);
        if (milliseconds >= 0) timer = setTimeout(() => client().#core!.timeout(), milliseconds);
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
      message: (message) => {
        const { kind, stream } = message;
        if (stream || !kind.endsWith("Data")) client().#groups.note((groups) => groups.message(message));
        if (kind === "groupData") emit("group-message", { message });
        else if (kind === "serverData") emit("server-message", { message });
      },
      rejoinFailed: (group, problem, ackId, name, text) =>
        emit("rejoin-group-failed", { group, error: sendError(problem, ackIdOf(ackId), name, text) }),
    };
  }

  async #fetchUrl(attempt: number): Promise<void> {
    const credential = this.#credential;
    this.#url = "";
    try {
      const url: unknown =
        typeof credential.getClientAccessUrl === "string"
          ? credential.getClientAccessUrl
          : await credential.getClientAccessUrl({ abortSignal: this.#startSignal });
      if (typeof url !== "string") {
        throw new Error(`The clientAccessUrl must be a string but currently it's ${typeof url}`);
      }
      this.#url = url;
    } catch (error) {
      this.#cause = error;
      return this.#core!.urlFailed(attempt);
    }
    this.#core!.urlFetched(attempt, this.#url);
  }

  #openSocket(attempt: number, url: string): boolean {
    const core = this.#core!;
    this.#cause = undefined;
    this.#explanation = {};
    this.#socket = undefined;
    try {
      // A browser would take other texts as relative to the page.
      if (!/^(wss?|https?):\/\//i.test(url)) throw new SyntaxError("A client access URL begins with wss://");
      const socket = (this.#options.webSocketFactory ?? openSocket)(url, this.#protocol.name);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => {
        this.#groups.opened();
        core.opened(attempt);
      };
      socket.onmessage = ({ data }) => read(this.#protocol, data, core, attempt);
      socket.onclose = ({ code, reason }) => {
        // Whatever the socket holds can be collected.
        if (this.#socket?.attempt === attempt) this.#socket = undefined;
        core.closed(attempt, code, reason);
      };
      socket.onerror = (event: any) => {
        const known = explain(event);
        this.#cause = known?.status ? undefined : (event.error ?? event);
        this.#explanation = known ?? {};
        // A platform need not report that a socket which never opened has closed.
        core.connectFailed(attempt, known !== undefined, known?.status ?? 0);
      };
      this.#socket = { attempt, socket };
      return true;
    } catch (error) {
      this.#cause = error;
      return false;
    }
  }

  #closeSocket(attempt: number): void {
    if (this.#socket?.attempt !== attempt) return;
    try {
      this.#socket.socket.close();
    } catch {
      // It is closed, or about to be.
    }
  }

  /** Has the protocol write a message, and the socket send it. */
  #send(message: WebPubSubMessage, call: number | undefined) {
    let frame: string | ArrayBuffer;
    try {
      frame = this.#protocol.writeMessage(message);
    } catch (error) {
      return this.#unwritten(message, asError(error), call ?? this.#beginning);
    }
    try {
      this.#socket?.socket.send(frame);
    } catch {
      // A socket that cannot take it is about to report that it closed.
    }
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
      core.abort(id);
    } else if (ackId === undefined) report(cause);
    // The session waits for an ack.
    else core.refused(this.#socket?.attempt ?? 0, ackId, cause.name, cause.message);
  }

  #started(call: Call | undefined): void {
    this.#startSignal = undefined;
    this.#ignoreWaking = onWake(() => this.#core!.wake());
    call?.resolve();
  }

  async #startFailed(call: Call | undefined, problem: number, number: number): Promise<void> {
    // A start that came too early or too late says nothing about the one that runs.
    if (!isRunningAlready(problem)) this.#isRunning = false;
    const status = number || undefined;
    call?.reject(await startError(problem, this.#url, status, this.#explanation, this.#cause, call.abortSignal));
  }

  #stopped(code: number, reason: string): void {
    this.#ignoreWaking?.();
    this.#isRunning = false;
    this.#groups.note((groups) => groups.stopped());
    this.#emit("stopped", code ? { code, reason } : {});
    this.#hold();
  }

  #emit<E extends EventName>(event: E, args: WebPubSubClientEvents[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        (listener as Listener<E>)(args);
      } catch (error) {
        report(error);
      }
    }
  }
}

named(WebPubSubClient, "WebPubSubClient");
