// The one place that says where the client package is.
export { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } from "/client/index.js";
