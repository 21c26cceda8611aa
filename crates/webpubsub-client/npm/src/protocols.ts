// The JSON subprotocols, as an application chooses them in a client's options.
import { parseMessages, writeMessage } from "./json.js";
import type { WebPubSubClientProtocol } from "./models.js";

const json = (name: string, isReliableSubProtocol: boolean): WebPubSubClientProtocol => ({
  name,
  isReliableSubProtocol,
  parseMessages,
  writeMessage,
});

/** `json.webpubsub.azure.v1`: what is published while the link is down is lost. */
export const WebPubSubJsonProtocol = (): WebPubSubClientProtocol => json("json.webpubsub.azure.v1", false);

/** `json.reliable.webpubsub.azure.v1`: a lost link is recovered without losing a message. */
export const WebPubSubJsonReliableProtocol = (): WebPubSubClientProtocol =>
  json("json.reliable.webpubsub.azure.v1", true);
