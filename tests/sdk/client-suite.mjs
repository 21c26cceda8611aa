// What a client package does against the service, whoever wrote it: Microsoft's and ours have one interface.
import { afterEach, describe } from "node:test";
import { forEachRunner } from "../support/service.mjs";
import { AT_ONCE } from "../support/event-handler.mjs";
import { defineConnecting } from "./client-suite/connecting.mjs";
import { defineReceiving } from "./client-suite/receiving.mjs";
import { defineInvoking } from "./client-suite/invoking.mjs";
import { Kit } from "./client-suite/kit.mjs";
import { defineOperations } from "./client-suite/operations.mjs";
import { defineReconnecting } from "./client-suite/reconnecting.mjs";
import { defineRecovering } from "./client-suite/recovering.mjs";

/** Defines the suite for a package: its `WebPubSubClient` and its two JSON protocols. */
export function defineClientSuite(
  title,
  { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol },
  more = [],
) {
  const define = (service) => {
    for (const [name, makeProtocol] of [
      ["JSON", WebPubSubJsonProtocol],
      ["reliable JSON", WebPubSubJsonReliableProtocol],
    ]) {
      describe(name, () => {
        const kit = new Kit(service, WebPubSubClient, makeProtocol);
        // While the service is still there: Microsoft's client does not end an attempt to reconnect when it is stopped.
        afterEach(() => kit.stopAll());
        for (const part of [
          defineConnecting,
          defineOperations,
          defineInvoking,
          defineReceiving,
          defineReconnecting,
          defineRecovering,
          ...more,
        ])
          part(kit);
      });
    }
  };
  forEachRunner(title, define, { variables: AT_ONCE });
}
