// The protobuf subprotocols, with WebAssembly of their own: `../../../webpubsub-client-protobuf`.
import { loadCore } from "#platform";
import { parseMessages, writeMessage } from "./json.js";
import type { WebPubSubClientProtocol } from "./models.js";

/** What the build puts in the place of `#core` here. */
interface Codec {
  read(frame: Uint8Array): string | undefined;
  write(frame: string): Uint8Array | undefined;
}

let loaded: Codec | undefined;

function codec(): Codec {
  if (!loaded) throw new Error("The protocol is not loaded: await its load(), as start() does.");
  return loaded;
}

const protobuf = (name: string, isReliableSubProtocol: boolean): WebPubSubClientProtocol => ({
  name,
  isReliableSubProtocol,

  async load() {
    loaded = (await loadCore()) as unknown as Codec;
  },

  parseMessages(input) {
    if (typeof input === "string") throw new TypeError("A frame of a protobuf subprotocol is bytes.");
    const bytes = ArrayBuffer.isView(input)
      ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : new Uint8Array(input);
    const frame = codec().read(bytes);
    if (frame === undefined) throw new TypeError("The frame is none of a protobuf subprotocol.");
    return parseMessages(frame);
  },

  writeMessage(message) {
    const frame = codec().write(writeMessage(message));
    if (!frame) throw new TypeError(`A protobuf subprotocol cannot say this message of kind ${message.kind}.`);
    return frame.buffer as ArrayBuffer;
  },
});

/** `protobuf.webpubsub.azure.v1`: what is published while the link is down is lost. */
export const WebPubSubProtobufProtocol = (): WebPubSubClientProtocol => protobuf("protobuf.webpubsub.azure.v1", false);

/** `protobuf.reliable.webpubsub.azure.v1`: a lost link is recovered without losing a message. */
export const WebPubSubProtobufReliableProtocol = (): WebPubSubClientProtocol =>
  protobuf("protobuf.reliable.webpubsub.azure.v1", true);
