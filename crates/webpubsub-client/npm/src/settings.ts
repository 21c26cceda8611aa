// What an application gives to the constructor, checked, and as the core takes it.
import type {
  WebPubSubClientCredential,
  WebPubSubClientOptions,
  WebPubSubClientProtocol,
  WebPubSubRetryOptions,
} from "./models.js";
import { asNumber } from "./values.js";

/** @throws a `TypeError` for what gives no URLs. */
export function checkedCredential(credential: string | WebPubSubClientCredential): WebPubSubClientCredential {
  const checked = typeof credential === "string" ? { getClientAccessUrl: credential } : credential;
  if (!["string", "function"].includes(typeof checked?.getClientAccessUrl))
    throw new TypeError("A WebPubSubClient needs a client access URL, or an object with getClientAccessUrl.");
  return checked;
}

/** The options as they are now. @throws a `RangeError` for times that are none. */
export function checkedOptions(options: WebPubSubClientOptions | undefined): WebPubSubClientOptions {
  const checked = { ...options };
  for (const name of ["keepAliveTimeoutInMs", "keepAliveIntervalInMs"] as const)
    if (!((checked[name] ?? 0) >= 0)) throw new RangeError(`${name} must be greater than or equal to 0.`);
  return checked;
}

/** @throws a `TypeError` for what is no protocol. */
export function checkedProtocol(protocol: WebPubSubClientProtocol): WebPubSubClientProtocol {
  const { name, parseMessages, writeMessage } = protocol;
  if (!name || typeof name !== "string" || typeof parseMessages !== "function" || typeof writeMessage !== "function")
    throw new TypeError("A protocol has a name, parseMessages and writeMessage.");
  return protocol;
}

const retries = ({ maxRetries, retryDelayInMs, maxRetryDelayInMs, mode }: WebPubSubRetryOptions = {}) =>
  [asNumber(maxRetries), asNumber(retryDelayInMs), asNumber(maxRetryDelayInMs), mode === "Exponential"] as const;

/** The options as the core asks for them: each is at its number in `../../src/settings.rs`. */
export const coreOptions = (isReliable: boolean, options: WebPubSubClientOptions): Array<number | boolean> => [
  isReliable,
  options.autoReconnect ?? true,
  options.autoRejoinGroups ?? true,
  ...retries(options.messageRetryOptions ?? undefined),
  ...retries(options.reconnectRetryOptions ?? undefined),
  asNumber(options.keepAliveTimeoutInMs),
  asNumber(options.keepAliveIntervalInMs),
];
