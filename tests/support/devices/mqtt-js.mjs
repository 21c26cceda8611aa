// MQTT.js, unmodified, as a device of the tests.
import mqtt from "mqtt";
import { deferred, Queue, within } from "../waiting.mjs";

/** What the library calls the properties of a PUBLISH, by our names. */
const PROPERTIES = {
  contentType: "contentType",
  utf8: "payloadFormatIndicator",
  responseTopic: "responseTopic",
  correlation: "correlationData",
  user: "userProperties",
  expiry: "messageExpiryInterval",
};

/** One client that keeps what it receives until a test asks for it. */
class Device {
  #client;
  #messages = new Queue();
  #left = deferred();
  #code;

  /**
   * Connects, or fails with the code of the CONNACK that refused it; `session` says whether one was there.
   * @param {string} url
   * @param {import("./options.d.ts").ConnectOptions} options
   */
  async connect(
    url,
    { version, id = "", clean = true, expiry, keepAlive = 60, will, user, password, properties = [] },
  ) {
    this.version = version;
    this.#client = mqtt.connect(url, {
      protocolVersion: version,
      clientId: id,
      clean,
      keepalive: keepAlive,
      reconnectPeriod: 0,
      connectTimeout: 60_000,
      username: user,
      password,
      will: will && inTheirNames(will),
      properties: version === 5 ? inTheirConnect(expiry, properties) : undefined,
    });
    this.#client.on("message", (topic, payload, packet) => {
      const { qos, dup, retain, properties: received = {} } = packet;
      this.#messages.push({ topic, payload, qos, dup, retain, ...inOurNames(received) });
    });
    return this.#connected();
  }

  async #connected() {
    const client = this.#client;
    const [left, connected] = [deferred(), deferred()];
    this.#left = left;
    this.#code = undefined;
    const refused = (error) => connected.reject(Object.assign(new Error(error.message), { code: error.code }));
    client.once("error", refused);
    client.once("disconnect", ({ reasonCode }) => (this.#code = reasonCode));
    client.once("close", () => {
      connected.reject(new Error("closed before CONNACK"));
      left.resolve({ code: this.#code });
    });
    client.once("connect", (/** @type {import("mqtt").IConnackPacket} */ { sessionPresent, properties }) => {
      client.off("error", refused);
      client.on("error", () => {});
      const { assignedClientIdentifier: id, userProperties: user, ...rest } = properties ?? {};
      connected.resolve({ session: sessionPresent, id, user: inPairs(user), properties: rest });
    });
    const { session, ...answer } = await within(connected.promise, "a CONNACK");
    return { session: Boolean(session), ...answer };
  }

  /**
   * Subscribes and returns the code of the SUBACK.
   * @param {string} topic
   * @param {import("./options.d.ts").SubscribeOptions} options
   */
  async subscribe(topic, { qos = 0, id, noLocal } = {}) {
    const properties = id === undefined ? undefined : { subscriptionIdentifier: id };
    const done = deferred();
    this.#client.subscribe(topic, { qos, nl: noLocal, properties }, (error, granted, packet) => {
      const code = packet?.granted?.[0] ?? error?.packet?.granted?.[0] ?? granted?.[0]?.qos;
      if (code === undefined) done.reject(error ?? new Error("no SUBACK"));
      else done.resolve(code);
    });
    return within(done.promise, "a SUBACK");
  }

  async unsubscribe(topic) {
    const done = deferred();
    this.#client.unsubscribe(topic, {}, (error, packet) => {
      if (error && error.code === undefined) done.reject(error);
      else done.resolve(error?.code ?? packet?.granted?.[0] ?? 0);
    });
    return within(done.promise, "an UNSUBACK");
  }

  /**
   * Publishes and returns the code of the acknowledgement; 0 without one.
   * @param {string} topic
   * @param {string | Buffer} payload
   * @param {import("./options.d.ts").PublishOptions} options
   */
  async publish(topic, payload, { qos = 0, retain = false, ...more } = {}) {
    const done = deferred();
    const properties = inTheirProperties(more);
    this.#client.publish(topic, payload, { qos, retain, properties }, (error, packet) => {
      if (error && error.code === undefined) done.reject(error);
      else done.resolve(error?.code ?? packet?.reasonCode ?? 0);
    });
    return within(done.promise, "the end of a publication");
  }

  message() {
    return this.#messages.next("a PUBLISH");
  }

  /** Says goodbye: with a code in 5.0. */
  async disconnect(code) {
    this.#client.end(false, code === undefined ? {} : { reasonCode: code });
    await this.left();
  }

  /** Cuts the transport. */
  async cut() {
    this.#client.stream.destroy();
    await this.left();
  }

  /** Connects again with the session that the library has kept. */
  reconnect() {
    this.#client.options.clean = false;
    this.#client.reconnect();
    return this.#connected();
  }

  /** The end of the connection, with the code of the service's DISCONNECT if there was one. */
  left() {
    return within(this.#left.promise, "the end of the connection");
  }
}

/** With an empty object for its user properties the library sends a CONNECT that never ends. */
const inTheirConnect = (expiry, properties) => ({
  sessionExpiryInterval: expiry,
  ...(properties.length > 0 ? { userProperties: inOneObject(properties) } : {}),
});

/** @param {import("./options.d.ts").Will} will */
function inTheirNames({ topic, payload, qos = 0, retain = false, delay, ...more }) {
  const properties = { ...inTheirProperties(more), ...(delay === undefined ? {} : { willDelayInterval: delay }) };
  return { topic, payload: Buffer.from(payload), qos: /** @type {0 | 1 | 2} */ (qos), retain, properties };
}

/**
 * User properties are pairs for the tests, and an object for the library.
 * @param {import("./options.d.ts").MessageProperties} properties
 */
const inTheirProperties = ({ user, ...more }) =>
  Object.fromEntries(
    Object.entries({ ...more, ...(user ? { user: inOneObject(user) } : {}) }).map(([name, value]) => [
      PROPERTIES[name],
      value,
    ]),
  );

const inOneObject = (pairs) => Object.fromEntries(pairs.map(([name]) => [name, valuesOf(pairs, name)]));

function valuesOf(pairs, wanted) {
  const values = pairs.flatMap(([name, value]) => (name === wanted ? [value] : []));
  return values.length === 1 ? values[0] : values;
}

const inPairs = (user) =>
  Object.entries(user ?? {}).flatMap(([name, values]) => [values].flat().map((one) => [name, one]));

function inOurNames({ userProperties, ...properties }) {
  const named = Object.entries(PROPERTIES).flatMap(([ours, theirs]) =>
    properties[theirs] === undefined ? [] : [[ours, properties[theirs]]],
  );
  const { subscriptionIdentifier: ids } = properties;
  return {
    ...Object.fromEntries(named),
    ...(userProperties ? { user: inPairs(userProperties) } : {}),
    ...(ids === undefined ? {} : { ids: [ids].flat() }),
  };
}

/** Programs of this library; none has to be started or ended. */
export class MqttJs {
  name = "MQTT.js";

  async start() {}

  async stop() {}

  device() {
    return new Device();
  }
}
