// What an application's event handler receives, and what it answers.
//
// Source: docs/spec/cloudevents.md#requests.

/** What every event says of the connection that it concerns. */
export interface EventContext {
  hub: string;
  connectionId: string;
  /** The event's name: `connect`, or a user event's own, for example. */
  eventName: string;
  /** The user, unless the client is anonymous. */
  userId?: string;
  /** The subprotocol that was chosen, if there is one. */
  subprotocol?: string;
  /** The host of the service that sent the event. */
  origin: string;
  /** The number of the event among its connection's: the same for each attempt to deliver it. */
  id: string;
  /** What `setState` kept for the connection, by name. */
  states: Record<string, any>;
}

/** An event whose answer can keep values for its connection, which come with each later event. */
export interface WithState extends EventContext {
  /** Keeps a JSON value for the connection under this name. `undefined` removes it. */
  setState(name: string, value: unknown): void;
}

/** A client asks to be let in. Names of claims, query parameters and headers have one or more values. */
export interface ConnectEvent extends WithState {
  claims: Record<string, string[]>;
  query: Record<string, string[]>;
  headers: Record<string, string[]>;
  /** The subprotocols that the client offers, in its order. */
  subprotocols: string[];
  clientCertificates: { thumbprint: string; content?: string }[];
}

/** What a client is let in with. What is left out stays as its token has it. */
export interface ConnectAnswer {
  userId?: string;
  /** Replaces the token's groups, unless it is empty. */
  groups?: string[];
  /** Replaces the token's roles, also if it is empty. */
  roles?: string[];
  /** One of those offered. */
  subprotocol?: string;
}

/** A client sent an event. */
export interface UserEvent extends WithState {
  /** A string for `text`, a JSON value for `json`, and an `ArrayBuffer` for `binary` and `protobuf`. */
  data: any;
  dataType: "text" | "json" | "binary" | "protobuf";
  /** The message's metadata, by names in lower case. */
  metadata: Record<string, string>;
}

/** A client is connected. */
export type ConnectedEvent = EventContext;

/** A client's connection has ended. */
export interface DisconnectedEvent extends EventContext {
  reason?: string;
}

/** A connection has joined or left a group. */
export interface GroupEvent extends EventContext {
  group: string;
}

export interface ReplyOptions {
  /** What the client is sent it as; by the value's type. */
  dataType?: "text" | "json" | "binary" | "protobuf";
  /** The message's metadata, by name: ASCII, as it goes in headers. Of a list with commas the service takes the last part. */
  metadata?: Record<string, string>;
}

/** An answer to a user event, made by `reply`. */
export class Reply {
  constructor(
    readonly data: unknown,
    readonly options: ReplyOptions,
  ) {
    checkMetadata(options.metadata ?? {});
  }
}

/** An answer that fails an event, or refuses a client, made by `refuse`. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {}
}

/**
 * Answers a user event with this value, as this type or with metadata.
 *
 * @throws RangeError for metadata that the service would not take.
 */
export const reply = (data: unknown, options: ReplyOptions = {}): Reply => new Reply(data, options);

/**
 * Refuses a client, or fails a user event. The status is 400 to 599; a client that is refused is given it, with the text.
 * The service tries again after 408 and any 5xx.
 *
 * @throws RangeError for another status.
 */
export function refuse(status: number, detail = ""): Refusal {
  if (!(Number.isInteger(status) && status >= 400 && status <= 599))
    throw new RangeError("The status of a refusal must be 400 to 599.");
  return new Refusal(status, detail);
}

/** Source: docs/spec/client.md#metadata. */
const MAX_METADATA_BYTES = 8 * 1024;

/** Says at once, where the application can see it, what the service would fail the event for. */
function checkMetadata(metadata: Record<string, string>): void {
  for (const [name, value] of Object.entries(metadata)) {
    if (!/^[\w!#$%&'*+\-.^`|~]{1,256}$/.test(name))
      throw new RangeError(
        `A name of metadata is 1 to 256 letters, digits or any of !#$%&'*+-.^_\`|~, and not "${name}".`,
      );
    if (!/^[\t -~]{0,1024}$/.test(value))
      throw new RangeError(`The metadata "${name}" is not up to 1024 printable ASCII characters.`);
  }
  if (Object.entries(metadata).flat().join("").length > MAX_METADATA_BYTES)
    throw new RangeError(`A reply's metadata is at most ${MAX_METADATA_BYTES} bytes.`);
}
