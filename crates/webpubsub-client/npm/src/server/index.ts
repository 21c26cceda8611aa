// `@webpubsub-edge/client/server`: what an application's server needs, in the platform's own `Request` and `Response`.
export type { EventHandlerOptions } from "./event-handler.js";
export { eventHandler } from "./event-handler.js";
export type {
  ConnectAnswer,
  ConnectedEvent,
  ConnectEvent,
  DisconnectedEvent,
  EventContext,
  GroupEvent,
  ReplyOptions,
  UserEvent,
} from "./events.js";
export { Refusal, Reply, refuse, reply } from "./events.js";
export type { NegotiateOptions } from "./negotiate.js";
export { negotiate } from "./negotiate.js";
export type { FetchHandler, NodeHandler } from "./node.js";
export { toNodeHandler } from "./node.js";
export type { ServiceAddress } from "./service.js";
export type { ClientAccessToken, ClientTokenOptions } from "./token.js";
export { getClientAccessToken } from "./token.js";
