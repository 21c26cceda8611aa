// Between an application and the core: calls become inputs, and outputs become sockets, timers, events and answers.
import type { Host } from "#core";
import { loadCore, onWake } from "#platform";
import { Core } from "./allowance.js";
import { type Call, Calls } from "./calls.js";
import {
  ABORTED,
  abortError,
  checkName,
  InvocationError,
  invocationError,
  isRunningAlready,
  SendMessageError,
  sendError,
} from "./errors.js";
import * as input from "./inputs.js";
import { LazyGroups } from "./lazy.js";
import { Listeners } from "./listeners.js";
import type {
  AbortSignalLike,
  InvokeEventOptions,
  InvokeEventResult,
  JoinGroupOptions,
  SendToGroupOptions,
  WebPubSubClientCredential,
  WebPubSubClientEvents,
  WebPubSubClientOptions,
  WebPubSubClientProtocol,
  WebPubSubDataType,
  WebPubSubMessage,
  WebPubSubResult,
} from "./models.js";
import { messageOf, payloadOf } from "./outgoing.js";
import * as output from "./outputs.js";
import { WebPubSubJsonReliableProtocol } from "./protocols.js";
import { checkedCredential, checkedOptions, checkedProtocol, coreOptions } from "./settings.js";
import { Sockets } from "./sockets.js";
import { asError, asText, report } from "./values.js";

/** What the service says of an anonymous user, and Microsoft's client passes on against its own type. */
const NO_USER = null as unknown as string;

/**
 * Loads the core when it is first needed, and carries out what it decides: the rules are in Rust, `../../src/client.rs`
 * and the core.
 */
export class Driver {
  readonly #options: WebPubSubClientOptions;
  readonly #protocol: WebPubSubClientProtocol;
  readonly #sockets: Sockets;
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
   * What the core knows this by. It is empty while nothing goes on: then a client that the application has let go of
   * can be collected, and its core with it.
   */
  readonly #held: { driver?: Driver } = {};
  #startSignal?: AbortSignalLike;
  #ignoreWaking?: () => void;
  readonly listeners = new Listeners();
  readonly groups = new LazyGroups({
    send: (message) => this.#send(message, undefined),
    request: (options, message) =>
      this.#acknowledged(options, (core, id, ackId) =>
        core.input(input.OTHER, id, ackId, { call: id, message: message() }),
      ),
    payload: (content, dataType) => payloadOf(this.#protocol, 0, content, dataType),
    checkName,
    changed: (group) => this.listeners.emit("group-states-changed", { group }),
    renewalFailed: (group, error) => this.listeners.emit("rejoin-group-failed", { group, error }),
    report,
  });

  constructor(credential: string | WebPubSubClientCredential, options: WebPubSubClientOptions | undefined) {
    const checked = checkedCredential(credential);
    this.#options = checkedOptions(options);
    this.#protocol = checkedProtocol(this.#options.protocol ?? WebPubSubJsonReliableProtocol());
    this.#sockets = new Sockets(checked, this.#protocol, this.#options.webSocketFactory ?? undefined);
  }

  start(abortSignal: AbortSignalLike | undefined): Promise<void> {
    if (abortSignal?.aborted) return Promise.reject(abortError("The start was aborted.", abortSignal));
    const begin = (core: Core, id: number) => {
      if (!this.#isRunning) this.#startSignal = abortSignal;
      this.#isRunning = true;
      core.input(input.START, id);
    };
    return this.#calls.make(abortSignal, begin, (error) => error);
  }

  stop(): void {
    const stop = (core: Core) => core.input(input.STOP);
    if (this.#core) stop(this.#core);
    else this.#waiting?.push(stop);
  }

  /** An operation on a group, or an event: `what` is one of the last four of `inputs.ts`. */
  operate(
    what: number,
    name: string,
    options: SendToGroupOptions = {},
    payload?: { content: unknown; dataType: WebPubSubDataType },
  ): Promise<WebPubSubResult> {
    if (options?.noEcho) what += input.NO_ECHO;
    if (options?.fireAndForget) what += input.FIRE_AND_FORGET;
    return this.#acknowledged(options, (core, id, ackId) => {
      const data = payload && payloadOf(this.#protocol, id, payload.content, payload.dataType);
      return core.input(input.OPERATE + what, id, ackId, asText(name), data);
    });
  }

  invoke(
    eventName: string,
    content: unknown,
    dataType: WebPubSubDataType,
    options: InvokeEventOptions | undefined,
  ): Promise<InvokeEventResult> {
    const { invocationId, abortSignal } = options ?? {};
    if (abortSignal?.aborted) return Promise.reject(invocationError(ABORTED, invocationId ?? ""));
    const begin = (core: Core, id: number) => {
      if (invocationId != null && !asText(invocationId)) {
        throw new TypeError("invocationId must be a string that is not empty.");
      }
      const data = content == null ? undefined : payloadOf(this.#protocol, id, content, dataType);
      checkName(core.input(input.INVOKE, id, 0, asText(eventName), data, invocationId ?? ""));
    };
    const refused = (cause: Error) => new InvocationError(cause.message, { invocationId: invocationId ?? "", cause });
    return this.#calls.make(abortSignal, begin, refused);
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
    this.#load().then(
      (core) => {
        this.#core = core;
        for (const use of this.#waiting!.splice(0)) use(core);
      },
      (error) => {
        this.#waiting = undefined;
        this.#calls.rejectAll(error);
      },
    );
  }

  async #load(): Promise<Core> {
    const [{ Client }] = await Promise.all([loadCore(), this.#protocol.load?.()]);
    const options = coreOptions(this.#protocol.isReliableSubProtocol, this.#options);
    return new Core(new Client(Driver.#host(this.#held, options)));
  }

  #hold(): void {
    this.#held.driver = this.#isRunning || this.#calls.areThere ? this : undefined;
  }

  /** What the core calls. */
  static #host(held: { driver?: Driver }, options: Array<number | boolean>): Host {
    let timer: ReturnType<typeof setTimeout> | undefined;
    return {
      option: (which) => options[which]!,
      output(what, id, detail, number, a, b, c, value) {
        // There is a driver while something goes on, and only then does the core ask for more than to stop the timer.
        if (what !== output.SET_TIMER) return held.driver!.#output(what, id, detail, number, a, b, c, value);
        clearTimeout(timer);
        if (number >= 0) timer = setTimeout(() => held.driver!.#core!.input(input.TIMEOUT), number);
      },
    };
  }

  /** What the core asks for, and says. */
  #output(
    what: number,
    id: number,
    detail: number,
    number: number,
    a: string | undefined,
    b: string | undefined,
    c: string | undefined,
    value: any,
  ): unknown {
    const call = this.#calls.get(id);
    const ackId = number < 0 ? undefined : number;
    switch (what) {
      case output.FETCH_URL:
        return void this.#sockets.fetchUrl(this.#core!, id, this.#startSignal);
      case output.OPEN_SOCKET:
        return this.#sockets.open(
          this.#core!,
          id,
          a!,
          () => this.groups.opened(),
          (message) => this.#raise(message),
        );
      case output.CLOSE_SOCKET:
        return this.#sockets.close(id);
      case output.SEND:
        return this.#send(messageOf(id, a, b, ackId, !!detail, value), value?.call);
      case output.SEND_OTHER:
        return this.#send(ackId === undefined ? value.message : { ...value.message, ackId }, value.call);
      case output.STARTED:
        this.#startSignal = undefined;
        this.#ignoreWaking = onWake(() => this.#core!.input(input.WAKE));
        return call?.resolve();
      case output.START_FAILED:
        return void this.#startFailed(call, detail, number);
      case output.DONE: {
        const isDuplicated = !!detail;
        return call?.resolve(ackId === undefined ? { isDuplicated } : { ackId, isDuplicated });
      }
      case output.FAILED:
        return call?.reject(sendError(detail, ackId, a, b));
      case output.INVOKED: {
        const { invocationId, dataType, data } = value;
        return call?.resolve({ invocationId, dataType, data });
      }
      case output.INVOCATION_FAILED:
        return call?.reject(invocationError(detail, a!, b, c));
      case output.CONNECTED:
        this.groups.note((groups) => groups.connected());
        return this.#emit("connected", { connectionId: a!, userId: b ?? NO_USER });
      case output.DISCONNECTED: {
        const message = b === undefined ? undefined : { kind: "disconnected" as const, message: b };
        this.groups.lost();
        return this.#emit("disconnected", {
          connectionId: a,
          message,
          code: number,
          reason: c!,
          willReconnect: !!detail,
        });
      }
      case output.STOPPED:
        this.#ignoreWaking?.();
        this.#isRunning = false;
        this.groups.note((groups) => groups.stopped());
        this.#emit("stopped", a === undefined ? {} : { code: number, reason: a });
        return this.#hold();
      case output.RECOVERY:
        this.groups.recovery(!!detail);
        return this.#emit(detail ? "recovered" : "recovering", { connectionId: a! });
      case output.MESSAGE:
        return this.#raise(value);
      case output.REJOIN_FAILED:
        return this.#emit("rejoin-group-failed", { group: a!, error: sendError(detail, ackId, b, c) });
    }
  }

  #emit<E extends keyof WebPubSubClientEvents>(event: E, args: WebPubSubClientEvents[E]): void {
    this.listeners.emit(event, args);
  }

  /** Passes a message of the service to the application, and to its streams and states. */
  #raise(message: any): void {
    const { kind, stream } = message;
    const event = kind === "groupData" ? "group-message" : kind === "serverData" && "server-message";
    if (stream || !event) this.groups.note((groups) => groups.message(message));
    if (event) this.#emit(event, { message });
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
      core.input(input.ABORT, id);
    } else if (ackId === undefined) report(cause);
    // The session waits for an ack.
    else core.input(input.REFUSED, this.#sockets.attempt, ackId, cause.name, cause.message);
  }

  async #startFailed(call: Call | undefined, problem: number, number: number): Promise<void> {
    // A start that came too early or too late says nothing about the one that runs.
    if (!isRunningAlready(problem)) this.#isRunning = false;
    call?.reject(await this.#sockets.failure(problem, number, call.abortSignal));
  }
}
