// Settings of event handlers that are refused: each with where it is wrong, or with what to do instead.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { forEachShardCount } from "../../support/service.mjs";
import { OWN_SHARD } from "../../support/event-handler.mjs";

const URL_TEMPLATE = "http://localhost:1/eventhandler";

const one = (more) => ({ eventHandlers: [{ urlTemplate: URL_TEMPLATE, ...more }] });

/** Settings that are wrong, and where. */
/** @type {[what: string, settings: object, where: string][]} */
const WRONG = [
  ["handlers that are no list", { eventHandlers: {} }, "eventHandlers"],
  ["a handler that is no object", { eventHandlers: ["http://a.example/"] }, "eventHandlers.0"],
  ["a handler without a URL", { eventHandlers: [{ userEventPattern: "*" }] }, "eventHandlers.0.urlTemplate"],
  ["a URL that is no text", one({ urlTemplate: 1 }), "eventHandlers.0.urlTemplate"],
  ["an empty URL", one({ urlTemplate: "" }), "eventHandlers.0.urlTemplate"],
  ["a URL without a scheme", one({ urlTemplate: "a.example/eventhandler" }), "eventHandlers.0.urlTemplate"],
  ["a URL of another scheme", one({ urlTemplate: "ftp://a.example/" }), "eventHandlers.0.urlTemplate"],
  ["a URL without a host", one({ urlTemplate: "http:///eventhandler" }), "eventHandlers.0.urlTemplate"],
  ["a URL with a user", one({ urlTemplate: "http://user:pass@a.example/" }), "eventHandlers.0.urlTemplate"],
  ["a placeholder in the host", one({ urlTemplate: "https://{hub}.example/" }), "eventHandlers.0.urlTemplate"],
  ["an unknown placeholder", one({ urlTemplate: "https://a.example/{user}" }), "eventHandlers.0.urlTemplate"],
  ["the local tunnel of Azure's tool", one({ urlTemplate: "tunnel:///eventhandler" }), "eventHandlers.0.urlTemplate"],
  [
    "a reference to a key vault",
    one({ urlTemplate: "https://a.example/?code={@Microsoft.KeyVault(SecretUri=https://v.example/s)}" }),
    "eventHandlers.0.urlTemplate",
  ],
  ["a pattern that is no text", one({ userEventPattern: ["*"] }), "eventHandlers.0.userEventPattern"],
  ["a pattern with a name that is none", one({ userEventPattern: "chat,a b" }), "eventHandlers.0.userEventPattern"],
  ["a pattern with an empty name", one({ userEventPattern: "chat,,news" }), "eventHandlers.0.userEventPattern"],
  ["system events that are no list", one({ systemEvents: "connect" }), "eventHandlers.0.systemEvents"],
  ["an unknown system event", one({ systemEvents: ["connect", "reconnected"] }), "eventHandlers.0.systemEvents"],
  ["credentials that are no object", one({ auth: "None" }), "eventHandlers.0.auth"],
  ["credentials of an unknown type", one({ auth: { type: "Basic" } }), "eventHandlers.0.auth"],
  ["credentials without a type", one({ auth: { token: "x" } }), "eventHandlers.0.auth"],
  [
    "a managed identity",
    one({ auth: { type: "ManagedIdentity", managedIdentity: { resource: "x" } } }),
    "eventHandlers.0.auth",
  ],
  ["a bearer token that is missing", one({ auth: { type: "Bearer" } }), "eventHandlers.0.auth.token"],
  ["a bearer token that is empty", one({ auth: { type: "Bearer", token: "" } }), "eventHandlers.0.auth.token"],
  [
    "a bearer token that starts a header",
    one({ auth: { type: "Bearer", token: "a\r\nx-evil: 1" } }),
    "eventHandlers.0.auth.token",
  ],
  ["a header without a name", one({ auth: { type: "Header", value: "x" } }), "eventHandlers.0.auth.name"],
  [
    "a header whose name is none",
    one({ auth: { type: "Header", name: "a b", value: "x" } }),
    "eventHandlers.0.auth.name",
  ],
  [
    "a header that starts another",
    one({ auth: { type: "Header", name: "x-key", value: "a\nb" } }),
    "eventHandlers.0.auth.value",
  ],
  [
    "a header of the service's own",
    one({ auth: { type: "Header", name: "ce-signature", value: "x" } }),
    "eventHandlers.0.auth.name",
  ],
  ["a secret that is hidden and unknown", one({ auth: { type: "Bearer", token: "***" } }), "eventHandlers.0.auth"],
  ["presence that is no object", one({ groupPresenceEvents: ["joined"] }), "eventHandlers.0.groupPresenceEvents"],
  [
    "presence of an unknown name",
    one({ groupPresenceEvents: { eventNames: ["entered"], groupFilters: ["*"] } }),
    "eventHandlers.0.groupPresenceEvents.eventNames",
  ],
  ["an unknown member", one({ urlTemplates: [] }), "eventHandlers.0.urlTemplates"],
  [
    "a second handler that is wrong",
    { eventHandlers: [{ urlTemplate: URL_TEMPLATE }, { urlTemplate: "x" }] },
    "eventHandlers.1.urlTemplate",
  ],
  ["listeners", { eventListeners: [{ filter: {} }] }, "eventListeners"],
  [
    "listeners in the emulator's spelling",
    { EventListeners: [{ EventNameFilter: {}, EventHubEndpoint: {} }] },
    "EventListeners",
  ],
  [
    "a name that is written twice, in two cases",
    { EventHandlers: [], eventHandlers: [] },
    "eventHandlers should be there once",
  ],
  ["two names of one setting", one({ userEventPattern: "*", EventPattern: "*" }), "eventHandlers.0.EventPattern"],
  [
    "a typing error among Azure's names",
    { properties: { eventHandler: [] } },
    "properties.eventHandler should be left out",
  ],
  [
    "a setting beside Azure's properties",
    { properties: {}, shards: 2 },
    "anonymousConnectPolicy should be in `properties`",
  ],
  [
    "a filter of groups that is no pattern",
    one({ groupPresenceEvents: { eventNames: ["left"], groupFilters: ["a", "b\\"] } }),
    "eventHandlers.0.groupPresenceEvents.groupFilters.1",
  ],
  [
    "a filter of groups with six wildcards",
    one({ groupPresenceEvents: { groupFilters: ["??????"] } }),
    "eventHandlers.0.groupPresenceEvents.groupFilters.0",
  ],
  ["a keep-alive interval below 1", { webSocketKeepAliveIntervalInSeconds: 0 }, "webSocketKeepAliveIntervalInSeconds"],
  [
    "a keep-alive interval above 120",
    { webSocketKeepAliveIntervalInSeconds: 121 },
    "webSocketKeepAliveIntervalInSeconds",
  ],
  [
    "a secret that is the access key",
    one({ auth: { type: "Bearer", token: { secret: "WEBPUBSUB_ACCESS_KEY" } } }),
    "eventHandlers.0.auth.token.secret",
  ],
  [
    "a secret that is the settings of all hubs",
    one({ auth: { type: "Header", name: "x-key", value: { secret: "HUB_SETTINGS" } } }),
    "eventHandlers.0.auth.value.secret",
  ],
  [
    "a secret that is named only nearly as handlers' are",
    one({ auth: { type: "Bearer", token: { secret: "handler_secret_token" } } }),
    "eventHandlers.0.auth.token.secret",
  ],
];

/** @type {[what: string, settings: object, words: RegExp][]} */
const DESCRIBED_INSTEAD = [
  ["a managed identity", one({ auth: { type: "ManagedIdentity" } }), /Bearer|Header/],
  ["a tunnel", one({ urlTemplate: "tunnel:///x" }), /tunnel/],
  ["a key vault", one({ urlTemplate: "https://a.example/{@Microsoft.KeyVault(SecretUri=x)}" }), /secret|KeyVault/i],
];

forEachShardCount(
  "Handlers' settings",
  (service) => {
    const put = (hub, settings) => service.manage("PUT", `hubs/${hub.name}`, { body: JSON.stringify(settings) });
    const get = async (hub) => JSON.parse((await service.manage("GET", `hubs/${hub.name}`)).body);

    describe("at the same time", { concurrency: 8 }, () => {
      for (const [what, settings, where] of WRONG) {
        test(`that are wrong are refused whole, with where: ${what}`, async () => {
          const hub = service.newHub();
          const before = await get(hub);
          const { status, body } = await put(hub, { anonymousConnectPolicy: "allow", ...settings });
          assert.equal(status, 400, body);
          assert.ok(body.startsWith("Invalid settings: ") && body.includes(where), body);
          assert.deepEqual(await get(hub), before);
        });
      }

      for (const [what, settings, words] of DESCRIBED_INSTEAD) {
        test(`that only Azure has are refused with what to do: ${what}`, async () => {
          const { status, body } = await put(service.newHub(), settings);
          assert.equal(status, 400);
          assert.match(body, words);
        });
      }
    });
  },
  { steady: OWN_SHARD, inMemory: true },
);
