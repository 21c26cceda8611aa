// A client of MQTT 5.0, with the calls that the playground makes of one: groups are topics, at QoS 1 or 0.
import * as mqtt from "./mqtt-packets.js";

/** Seconds between signs of life, of which half are between this client's. */
const KEEP_ALIVE = 120;

/** Where an event is published, and what its answers begin with. */
const EVENTS = "$webpubsub/server/events/";

const encoder = new TextEncoder();

export class MqttClient {
  #url;
  #open;
  #socket;
  #listeners = new Map();
  #waiting = new Map();
  #packetId = 0;
  #end;
  #timer;

  constructor(url, open) {
    this.#url = url;
    this.#open = open;
  }

  on(event, listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  /** @returns {Promise<void>} */
  start() {
    const id = `page${crypto.randomUUID().replaceAll("-", "")}`;
    return new Promise((resolve, reject) => {
      const socket = (this.#socket = this.#open(this.#url, "mqtt"));
      let isConnected = false;
      socket.onopen = () => socket.send(mqtt.connect(id, KEEP_ALIVE));
      socket.onmessage = ({ data }) => {
        for (const packet of mqtt.read(data)) {
          if (packet.type !== "CONNACK") this.#receive(packet);
          else if (packet.code) this.#end = packet.message;
          else {
            isConnected = true;
            this.#timer = setInterval(() => socket.send(mqtt.pingreq()), (KEEP_ALIVE / 2) * 1000);
            this.#emit("connected", { connectionId: id });
            resolve();
          }
        }
      };
      socket.onclose = ({ code, reason }) => {
        clearInterval(this.#timer);
        const why = this.#end ?? reason;
        if (!isConnected) return reject(new Error(`The service refused the connection${why ? `: ${why}` : ""}.`));
        for (const { reject: fail } of this.#waiting.values()) fail(new Error("The connection has ended."));
        this.#emit("disconnected", { code, reason: why });
        this.#emit("stopped", { code, reason: why });
      };
    });
  }

  stop() {
    if (this.#timer) this.#socket?.send(mqtt.disconnect());
    this.#socket?.close();
  }

  joinGroup(name) {
    return this.#ask((id) => mqtt.subscribe(id, name));
  }

  leaveGroup(name) {
    return this.#ask((id) => mqtt.unsubscribe(id, name));
  }

  sendToGroup(topic, content, dataType, { fireAndForget, ttlSeconds, metadata }) {
    const isText = dataType !== "binary";
    const payload = isText
      ? encoder.encode(dataType === "json" ? JSON.stringify(content) : content)
      : new Uint8Array(content);
    const contentType = { json: "application/json", text: "text/plain" }[dataType];
    const publish = (id) => mqtt.publish(topic, payload, { id, isText, contentType, ttlSeconds, metadata });
    if (!fireAndForget) return this.#ask(publish);
    this.#socket.send(publish(undefined));
    return {};
  }

  sendEvent(name, content, dataType, options) {
    return this.sendToGroup(EVENTS + name, content, dataType, options);
  }

  /** Sends a packet with an id of its own, and waits for its acknowledgement. */
  async #ask(make) {
    this.#packetId = (this.#packetId % 65_535) + 1;
    const id = this.#packetId;
    const { code } = await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(make(id));
    });
    if (code >= 128) throw new Error(`The service refused it: ${mqtt.reasonInWords(code)}.`);
    return {};
  }

  #receive(packet) {
    if (packet.type === "PUBLISH") {
      if (packet.id) this.#socket.send(mqtt.puback(packet.id));
      this.#emit("server-message", {});
    } else if (packet.type === "DISCONNECT") {
      this.#end = packet.message;
    } else if (packet.id) {
      this.#waiting.get(packet.id)?.resolve(packet);
      this.#waiting.delete(packet.id);
    }
  }

  #emit(event, args) {
    for (const listener of this.#listeners.get(event) ?? []) listener(args);
  }
}

/** What the log reads in a frame: its first packet. */
export const readFrame = (data) => mqtt.read(data)[0];
