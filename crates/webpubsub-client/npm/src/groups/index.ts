// What a client loads when it uses group streams or states. What happens to them is decided in Rust:
// `../../../../webpubsub-client-groups`.
import { loadCore } from "#platform";
import type {
  AbortSignalLike,
  GroupDataMessage,
  GroupStateRecord,
  GroupStream,
  GroupStreamWriter,
  JoinGroupOptions,
  OnGroupStreamOptions,
  OpenGroupStreamOptions,
  StreamDataError,
  StreamEndError,
  WebPubSubMessage,
  WebPubSubResult,
} from "../models.js";
import { asNumber, asText } from "../values.js";
import type { Groups as Core, GroupsHost } from "./core.js";
import { idleTimeout, streamError } from "./errors.js";
import type { GroupsLink } from "./link.js";
import { ReceivedStream } from "./stream.js";

type ErrorListener = (error: StreamDataError) => void;

/** A call that waits for the core's answer. */
interface Call {
  streamId: string;
  resolve(): void;
  reject(error: unknown): void;
}

/** Loads the WebAssembly, once for all clients. */
export async function load(link: GroupsLink): Promise<Groups> {
  // What the build puts in the place of `#core` here.
  const core = (await loadCore()) as unknown as { Groups: new (host: GroupsHost) => Core };
  return new Groups(link, core.Groups);
}

/** The streams and states of one client. */
export class Groups {
  readonly #link: GroupsLink;
  readonly #core: Core;
  readonly #calls = new Map<number, Call>();
  /** The listeners of streams that are sent, by stream id. */
  readonly #writers = new Map<string, Set<ErrorListener>>();
  readonly #subscriptions = new Map<number, (stream: GroupStream) => unknown>();
  readonly #streams = new Map<number, ReceivedStream>();
  #last = 0;
  /** From an open socket until the client has stopped. */
  #isRunning = false;
  /** What the core knows this by: empty while nothing goes on, so that all of it can be collected. */
  readonly #held: { groups?: Groups } = {};

  constructor(link: GroupsLink, make: new (host: GroupsHost) => Core) {
    this.#link = link;
    this.#core = new make(Groups.#host(this.#held));
  }

  timeout(): void {
    this.#core.timeout();
  }

  linkOpened(): void {
    this.#isRunning = true;
    this.#hold();
    this.#core.linkOpened();
  }

  recovery(isOver: boolean): void {
    this.#core.recovery(isOver);
  }

  connectionLost(): void {
    this.#core.connectionLost();
    this.#writers.clear();
  }

  stopped(): void {
    this.#core.stopped();
    this.#isRunning = false;
    this.#hold();
  }

  /** There is a new connection: subscriptions are made again. */
  connected(): void {
    const changed: string[] = [];
    for (const group of this.#core.connected(changed)) {
      this.subscribeStates(group).catch((error) => this.#link.renewalFailed(group, error));
    }
    for (const group of changed) this.#link.changed(group);
  }

  /** A message of the service that is about streams or states. */
  message(message: WebPubSubMessage): void {
    const core = this.#core;
    switch (message.kind) {
      case "groupData":
        this.#fragment(message as GroupDataMessage);
        break;
      case "streamAck":
      case "streamNack": {
        const { kind, streamId, expectedSequenceId } = message as any;
        core.acknowledged(asText(streamId), asNumber(expectedSequenceId), kind === "streamAck");
        break;
      }
      case "streamClosed": {
        const { streamId, error } = message as any;
        const name = error == null ? undefined : asText(error.name);
        core.closed(asText(streamId), name, asText(error?.message));
        this.#writers.delete(streamId);
        break;
      }
      case "groupStateSnapshot":
      case "groupStateUpdate": {
        const { kind, group, items } = message as any;
        for (const item of Array.isArray(items) ? items : []) {
          const { connectionId, userId, state, updatedAt } = item ?? {};
          const record = state == null ? undefined : { connectionId, userId, state, updatedAt };
          core.item(asText(connectionId), asNumber(updatedAt), record);
        }
        if (core.states(asText(group), kind === "groupStateSnapshot")) this.#link.changed(group);
      }
    }
  }

  /** Opens a stream. */
  async open(group: string, options: OpenGroupStreamOptions = {}): Promise<GroupStreamWriter> {
    const { streamId = randomId(), noEcho = false, idleTimeoutInMs } = options;
    if (idleTimeoutInMs != null) checkTimeout(idleTimeoutInMs);
    const listeners = new Set<ErrorListener>();
    let isOpening = false;
    try {
      await this.#call(streamId, undefined, (call) => {
        const isNew = !this.#writers.has(streamId);
        if (isNew) this.#writers.set(streamId, listeners);
        isOpening = isNew;
        const problem = this.#core.open(call, asText(streamId), asText(group), noEcho, idleTimeoutInMs ?? -1);
        if (problem === STREAM_ID) throw new Error("A stream id is 1 to 256 characters.");
        this.#link.checkName(problem);
      });
    } catch (error) {
      if (isOpening) this.#writers.delete(streamId);
      throw error;
    }
    const end = (signal: AbortSignalLike | undefined, error?: StreamEndError) =>
      this.#call(streamId, signal, (call) =>
        this.#core.end(call, streamId, error !== undefined, error?.message, error?.userErrorCode),
      );
    return {
      streamId,
      write: (content, dataType, options) =>
        this.#call(streamId, options?.abortSignal, (call) =>
          this.#core.write(call, streamId, this.#link.payload(content, dataType)),
        ),
      end: (options) => end(options?.abortSignal),
      abort: (error, options) => end(options?.abortSignal, error ?? {}),
      onError: (listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
  }

  /** Listens to streams; the function that it returns ends that. */
  receive(callback: (stream: GroupStream) => unknown, options: OnGroupStreamOptions): () => void {
    const id = ++this.#last;
    const { idleTimeoutInMs = 300_000, handleFromStart = false, groupNames } = options;
    this.#subscriptions.set(id, callback);
    this.#core.subscribe(id, idleTimeoutInMs, handleFromStart, groupNames?.map(asText));
    return () => {
      this.#core.unsubscribe(id);
      this.#subscriptions.delete(id);
    };
  }

  /** Sets this client's own state in a group, or clears it. */
  async setState(group: string, state: any, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    const result = await this.#link.request(options, () => {
      this.#checkGroup(group);
      if (state !== undefined) checkState(state);
      return { kind: "setGroupState", group, ...(state !== undefined && { state }) } as WebPubSubMessage;
    });
    this.#core.set(group, state && Object.keys(state).length > 0 ? state : undefined);
    return result;
  }

  async subscribeStates(group: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    let isAsked = false;
    try {
      const result = await this.#link.request(options, () => {
        this.#checkGroup(group);
        this.#core.subscribing(group);
        isAsked = true;
        return { kind: "subscribeGroupState", group } as WebPubSubMessage;
      });
      this.#core.subscribed(group, true);
      return result;
    } catch (error) {
      if (isAsked) this.#core.subscribed(group, false);
      throw error;
    }
  }

  async unsubscribeStates(group: string, options?: JoinGroupOptions): Promise<WebPubSubResult> {
    const result = await this.#link.request(options, () => {
      this.#checkGroup(group);
      return { kind: "unsubscribeGroupState", group } as WebPubSubMessage;
    });
    this.#core.unsubscribed(group);
    return result;
  }

  left(group: string): void {
    this.#core.left(group);
  }

  own(group: string): Record<string, string> | undefined {
    const state = this.#core.own(group);
    return state && { ...state };
  }

  list(group: string): GroupStateRecord[] | undefined {
    return this.#core.list(group)?.map((record) => ({ ...record, state: { ...record.state } }));
  }

  #checkGroup(group: string): void {
    this.#link.checkName(this.#core.nameProblem(asText(group)));
  }

  #fragment(message: GroupDataMessage): void {
    const { group, fromUserId, sequenceId, dataType, data, stream } = message;
    if (!stream || typeof stream.streamId !== "string" || typeof stream.streamSequenceId !== "number") return;
    const isEnd = stream.endOfStream === true;
    const given =
      isEnd && isEmpty(data) ? undefined : { groupName: group, fromUserId, sequenceId, dataType, data, stream };
    this.#core.received(
      asText(group),
      stream.streamId,
      stream.streamSequenceId,
      isEnd,
      stream.error ?? undefined,
      given,
    );
  }

  /** Numbers a call and begins it; the core answers to the number. */
  #call(streamId: string, abortSignal: AbortSignalLike | undefined, begin: (call: number) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      const aborted = () => abortSignal?.reason ?? new DOMException("The operation was aborted.", "AbortError");
      if (abortSignal?.aborted) return reject(aborted());
      const abort = () => this.#core.abort(id);
      const end = () => {
        abortSignal?.removeEventListener("abort", abort);
        this.#calls.delete(id);
        this.#hold();
      };
      // Nothing waits for an answer where this is no signal.
      abortSignal?.removeEventListener("abort", abort);
      abortSignal?.addEventListener("abort", abort);
      this.#calls.set(id, {
        streamId,
        resolve: () => (end(), resolve()),
        reject: (error) => (end(), reject(abortSignal?.aborted ? aborted() : error)),
      });
      this.#hold();
      try {
        begin(id);
      } catch (error) {
        this.#calls.get(id)?.reject(error);
      }
    });
  }

  #hold(): void {
    this.#held.groups = this.#isRunning || this.#calls.size > 0 ? this : undefined;
  }

  /** What the core calls. */
  static #host(held: { groups?: Groups }): GroupsHost {
    const groups = () => held.groups!;
    const send = (message: object) => groups().#link.send(message as WebPubSubMessage);
    let timer: ReturnType<typeof setTimeout> | undefined;
    return {
      setTimer: (milliseconds) => {
        clearTimeout(timer);
        if (milliseconds >= 0) timer = setTimeout(() => held.groups?.timeout(), milliseconds);
      },
      sendStart: (streamId, group, noEcho, idleMillis) => {
        const stream = { streamId, ...(idleMillis >= 0 && { idleTimeoutInMs: idleMillis }) };
        send({ kind: "sendToGroup", group, noEcho, stream });
      },
      sendData: (streamId, streamSequenceId, payload) =>
        send({
          kind: "streamData",
          streamId,
          ...(payload && { streamSequenceId, dataType: payload.dataType, data: payload.data }),
        }),
      sendEnd: (streamId, isError, message, userErrorCode) =>
        send({ kind: "streamEnd", streamId, ...(isError && { error: { message, userErrorCode } }) }),
      done: (id) => groups().#calls.get(id)?.resolve(),
      failed: (id, problem, name, text) => {
        const call = groups().#calls.get(id);
        call?.reject(streamError(problem, call.streamId, name, text));
      },
      streamFailed: (streamId, problem, name, text) => {
        const listeners = [...(groups().#writers.get(streamId) ?? [])];
        groups().#writers.delete(streamId);
        const error = streamError(problem, streamId, name, text);
        for (const listener of listeners) groups().#guard(() => listener({ name: error.name, message: error.message }));
      },
      began: (subscription, id, group, streamId) => groups().#began(subscription, id, group, streamId),
      fragment: (id, message) => {
        const stream = groups().#streams.get(id);
        if (!stream || stream.push(message)) return;
        groups().#streams.delete(id);
        groups().#core.refuse(id);
      },
      ended: (id, how, error) => {
        const stream = groups().#streams.get(id);
        groups().#streams.delete(id);
        stream?.finish(how === 0 ? undefined : how === 1 ? error : idleTimeout());
      },
    };
  }

  #began(subscription: number, id: number, group: string, streamId: string): void {
    const callback = this.#subscriptions.get(subscription);
    if (!callback) return;
    const stream = new ReceivedStream(group, streamId);
    this.#streams.set(id, stream);
    try {
      Promise.resolve(callback(stream)).catch(this.#link.report);
    } catch (error) {
      this.#link.report(error);
      this.#streams.delete(id);
      stream.finish(error);
      this.#core.refuse(id);
    }
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#link.report(error);
    }
  }
}

/** What the core counts for an id that is none of a stream. */
const STREAM_ID = 4;

const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const isEmpty = (data: unknown) =>
  data === "" || data == null || (data instanceof ArrayBuffer && data.byteLength === 0);

/** A time-out that the wire can carry. */
function checkTimeout(milliseconds: number): void {
  if (!(Number.isInteger(milliseconds) && milliseconds > 0 && milliseconds < 2 ** 32))
    throw new RangeError("idleTimeoutInMs must be a whole number from 1 to 4294967295.");
}

/** How many entries the service takes: more would have it close the connection. */
const MAX_STATE_ENTRIES = 256;

/** Source: docs/spec/client.md#group-state. */
function checkState(state: unknown): void {
  const values = typeof state === "object" && state !== null && !Array.isArray(state) ? Object.values(state) : [0];
  if (!values.every((value) => typeof value === "string")) throw new TypeError("A state must be an object of strings.");
  if (values.length > MAX_STATE_ENTRIES)
    throw new RangeError(`A state has at most ${MAX_STATE_ENTRIES} entries, not ${values.length}.`);
}
