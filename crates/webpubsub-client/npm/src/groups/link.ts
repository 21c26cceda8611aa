// What a client and its streams and states have of each other.
import type { JoinGroupOptions, JSONTypes, WebPubSubDataType, WebPubSubMessage, WebPubSubResult } from "../models.js";

/**
 * A client, as its streams and states see it. They are a script of their own, so none of these names may be one that
 * `INTERNAL` in `build.mjs` makes short.
 */
export interface GroupsLink {
  /** Sends a message on the newest socket. */
  send(message: WebPubSubMessage): void;
  /** Has the service do what `message` asks for; what that throws rejects at once. */
  request(options: JoinGroupOptions | undefined, message: () => WebPubSubMessage): Promise<WebPubSubResult>;
  /** Content as it is now, for the client's protocol. */
  payload(content: JSONTypes | ArrayBuffer, dataType: WebPubSubDataType): object;
  /** Throws what is wrong with a name, if something is. */
  checkName(problem: number): void;
  changed(group: string): void;
  renewalFailed(group: string, error: Error): void;
  report(error: unknown): void;
}
