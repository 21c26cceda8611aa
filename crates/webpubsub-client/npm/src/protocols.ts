import type { WebPubSubClientProtocol } from "./models.js";

/** `json.webpubsub.azure.v1`: what is published while the link is down is lost. */
export const WebPubSubJsonProtocol = (): WebPubSubClientProtocol => ({
  name: "json.webpubsub.azure.v1",
  isReliableSubProtocol: false,
});

/** `json.reliable.webpubsub.azure.v1`: a lost link is recovered without losing a message. */
export const WebPubSubJsonReliableProtocol = (): WebPubSubClientProtocol => ({
  name: "json.reliable.webpubsub.azure.v1",
  isReliableSubProtocol: true,
});
