// One client of the playground: its connection, its groups, and the log of its frames.
import { endInWords, errorInWords } from "../parts/words.js";
import { BareClient } from "./bare-client.js";
import { describeFrame, describeNote } from "./frame.js";
import { FrameLog } from "./frame-log.js";
import { Network } from "./network.js";
import { Extras, MQTT, loadClient, protocols, withExtras } from "./protocols.js";

/** With this code the service closes a client without a subprotocol whose event failed. */
const EVENT_FAILED = 1011;

/** Ack ids that this page chooses begin here, away from those of the client. */
const FIRST_ACK_ID = 1_000_000;

export class Client {
  log;
  /** `idle`, `connecting`, `connected`, `recovering` or `lost`. */
  state = "idle";
  connectionId = "";
  userId = "";
  joined = new Set();
  /** The subprotocol, by its id in `protocols`. */
  protocol = protocols[0].id;
  network;
  #client;
  /** Stands for the connect that was asked for last; nothing once the client is disconnected. */
  #attempt;
  #extras = new Extras();
  #written = new WeakMap();
  #protocol;
  #readMqtt;
  #ackId = FIRST_ACK_ID;
  #last;
  #isExpiring = false;
  #changed;
  #received;
  #eventFailed;

  /**
   * `changed()` is called when there is something else to show, `received()` with each message that comes from others, and
   * `eventFailed()` when a bare client was closed because no server took its frame.
   */
  constructor({ changed, received, eventFailed }) {
    this.#changed = changed;
    this.#received = received;
    this.#eventFailed = eventFailed;
    this.log = new FrameLog(changed);
    this.network = new Network((direction, data) => this.#frame(direction, data));
  }

  get isLive() {
    return this.state === "connected";
  }

  get isBare() {
    return this.protocol === "";
  }

  get isMqtt() {
    return this.protocol === MQTT;
  }

  /** What the last operation with an ack id was, for doing it again under the same. */
  get last() {
    return this.#last;
  }

  /** Connects, and rejects when the first attempt fails. Resolves with whether it is connected: not if it was disconnected meanwhile. */
  async connect(url) {
    this.disconnect();
    const attempt = (this.#attempt = {});
    this.state = "connecting";
    this.#changed();
    try {
      const client = await this.#make(url);
      if (this.#attempt !== attempt) return false;
      this.#client = client;
      this.#listen(client);
      await client.start();
    } catch (error) {
      const isWanted = this.#attempt === attempt;
      this.#end();
      if (isWanted) throw error;
    }
    return this.#attempt === attempt;
  }

  disconnect() {
    this.#attempt = undefined;
    this.#restore();
    if (this.#client) this.#client.stop();
    else if (this.state === "connecting") this.#end();
  }

  /** Keeps the network away until the client has given its connection up. */
  expireRecovery() {
    this.#isExpiring = true;
    this.network.cut();
  }

  #restore() {
    this.#isExpiring = false;
    this.network.restore();
  }

  async #make(url) {
    if (this.isMqtt) {
      const { MqttClient, readFrame } = await import("./mqtt-client.js");
      this.#readMqtt = readFrame;
      return new MqttClient(url, this.network.open);
    }
    const make = protocols.find(({ id }) => id === this.protocol)?.make;
    return make ? this.#standard(url, await make()) : new BareClient(url, this.network.open);
  }

  async #standard(url, protocol) {
    this.#protocol = withExtras(protocol, this.#extras, this.#written);
    await this.#protocol.load();
    const { WebPubSubClient } = await loadClient();
    const client = new WebPubSubClient(url, {
      protocol: this.#protocol,
      webSocketFactory: this.network.open,
      // A person waits for the answer: what the service refuses is not asked again.
      messageRetryOptions: { maxRetries: 0 },
    });
    client.onGroupStream((stream) => void this.#follow(stream));
    return client;
  }

  #listen(client) {
    const on = (event, listener) =>
      client.on(event, (args) => {
        if (this.#client !== client) return;
        listener(args ?? {});
        this.#changed();
      });
    on("connected", ({ connectionId, userId }) => {
      this.state = "connected";
      this.connectionId = connectionId ?? "";
      this.userId = userId ?? "";
      const id = connectionId ? ` The connection's id is ${connectionId}.` : "";
      this.note(`Connected${userId ? ` as ${userId}` : ""}.${id}`);
    });
    on("recovering", () => {
      this.state = "recovering";
      this.note("The link was lost; the client tries to get the connection back.");
    });
    on("recovered", () => {
      this.state = "connected";
      this.note("The connection is back; nothing was missed.");
    });
    on("disconnected", (end) => {
      this.state = "lost";
      if (this.#isExpiring) this.#restore();
      this.note(["Disconnected.", endInWords(end)].filter(Boolean).join(" "));
      if (this.isBare && end.code === EVENT_FAILED) this.#eventFailed();
    });
    on("stopped", () => this.#end());
    on("rejoin-group-failed", ({ group, error }) => {
      this.joined.delete(group);
      this.note(`Could not join ${group} again. ${errorInWords(error)}`);
    });
    on("server-message", () => this.#received());
    on("group-message", () => this.#received());
  }

  #end() {
    this.#client = undefined;
    this.state = "idle";
    this.joined.clear();
    this.#last = undefined;
    this.#restore();
    this.#changed();
  }

  note(words) {
    this.log.add(describeNote(words));
  }

  #frame(direction, data) {
    this.log.add(describeFrame(direction, data, this.#read(direction, data)));
  }

  /** What is in a frame, as a message of the subprotocol; nothing for a bare client. */
  #read(direction, data) {
    if (this.isBare) return undefined;
    try {
      if (this.isMqtt) return this.#readMqtt(data);
      if (typeof data === "string") return JSON.parse(data);
      if (direction === "out") return this.#written.get(data);
      return this.#protocol.parseMessages(data);
    } catch {
      return undefined;
    }
  }

  /**
   * Does what the form asks for.
   *
   * @param {{ kind: string, name: string, content?: any, dataType?: string, noEcho?: boolean, fireAndForget?: boolean, ackId?: number, ttlSeconds?: number, metadata?: Record<string, string> }} action
   * @returns {Promise<string>} what came of it, in words
   */
  async perform(action) {
    const { kind, name, content, dataType } = action;
    if (kind === "frame") return this.#client.sendFrame(content);
    if (kind === "invoke") {
      const answer = await this.#client.invokeEvent(name, content, dataType);
      return answer.dataType ? `Answered: ${JSON.stringify(answer.data)}` : "Answered without data.";
    }
    if (kind === "stream") return this.#stream(name, content, dataType, action.noEcho);
    return this.#acknowledged(action);
  }

  /** Does the last operation with an ack id again, under the same id. */
  again() {
    return this.#acknowledged(this.#last);
  }

  async #acknowledged(action) {
    const { kind, name, content, dataType, noEcho, fireAndForget, ttlSeconds, metadata } = action;
    const ackId = action.ackId ?? ++this.#ackId;
    if (this.isMqtt) return this.#overMqtt(action);
    const options = { ackId, noEcho, fireAndForget };
    this.#extras.set(fireAndForget ? undefined : ackId, {
      ...(ttlSeconds !== undefined && { ttlSeconds }),
      ...(metadata && { metadata }),
    });
    if (!fireAndForget) this.#last = { ...action, ackId };
    const { isDuplicated } = await {
      join: () => this.#client.joinGroup(name, options),
      leave: () => this.#client.leaveGroup(name, options),
      group: () => this.#client.sendToGroup(name, content, dataType, options),
      event: () => this.#client.sendEvent(name, content, dataType, options),
    }[kind]();
    if (kind === "join") this.joined.add(name);
    if (kind === "leave") this.joined.delete(name);
    if (isDuplicated) return `The service had done ack id ${ackId} before, and did nothing.`;
    return { join: `Joined ${name}.`, leave: `Left ${name}.` }[kind] ?? "Sent.";
  }

  /** Its acknowledgements have packet ids of their own, so nothing can be done again under the same. */
  async #overMqtt({ kind, name, content, dataType, ...options }) {
    await {
      join: () => this.#client.joinGroup(name),
      leave: () => this.#client.leaveGroup(name),
      group: () => this.#client.sendToGroup(name, content, dataType, options),
      event: () => this.#client.sendEvent(name, content, dataType, options),
    }[kind]();
    if (kind === "join") this.joined.add(name);
    if (kind === "leave") this.joined.delete(name);
    return { join: `Subscribed to ${name}.`, leave: `No longer subscribed to ${name}.` }[kind] ?? "Sent.";
  }

  /** Sends each line as one piece of a stream. */
  async #stream(group, text, dataType, noEcho) {
    const writer = await this.#client.openGroupStream(group, { noEcho });
    const pieces = text.split("\n");
    for (const piece of pieces) await writer.write(piece, dataType);
    await writer.end();
    return `Sent a stream of ${pieces.length} ${pieces.length === 1 ? "piece" : "pieces"}.`;
  }

  async #follow(stream) {
    let pieces = 0;
    try {
      for await (const _piece of stream) pieces++;
      this.note(`The stream ${stream.streamId} to ${stream.groupName} has ended, with ${pieces} pieces.`);
    } catch (error) {
      this.note(`The stream ${stream.streamId} to ${stream.groupName} was broken off. ${errorInWords(error)}`);
    }
  }
}
