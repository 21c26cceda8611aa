// `@webpubsub-edge/client`: a client for pages, Node and workers.
export { WebPubSubClient } from "./client.js";
export {
  ConnectError,
  type ConnectErrorOptions,
  type ConnectProblem,
  InvocationError,
  type InvocationErrorOptions,
  SendMessageError,
  type SendMessageErrorDetail,
  type SendMessageErrorOptions,
} from "./errors.js";
export type * from "./models.js";
export { preload } from "./preload.js";
export { WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } from "./protocols.js";
