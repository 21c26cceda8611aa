// What an operator says of a hub's event handlers, and what an operator can see of them.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, describe, test } from "node:test";
import { AT_ONCE, EventHandler, hang, OWN_SHARD, reset } from "../../support/event-handler.mjs";
import { ALL_ROLES, Hub } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { Refused, Socket } from "../../support/socket.mjs";
import { until } from "../../support/waiting.mjs";
import { cases } from "../../support/cases.mjs";

const KEPT = 200;
const TIMEOUT_SECONDS = 12;
const URL_TEMPLATE = "http://localhost:1/eventhandler";

const event = (name, ackId) => ({ type: "event", event: name, dataType: "text", data: "hi", ackId });
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

/** One hub's settings as they are exported, by who writes them. */
const HANDLER = { urlTemplate: URL_TEMPLATE, userEventPattern: "chat", systemEvents: ["connected"] };
const PROPERTIES = {
  anonymousConnectPolicy: "Allow",
  eventHandlers: [
    {
      ...HANDLER,
      auth: { type: "None", managedIdentity: null },
      groupPresenceEvents: { eventNames: ["joined"], groupFilters: null },
    },
  ],
  eventListeners: null,
  webSocketKeepAliveIntervalInSeconds: 20,
};
const EXPORTED = [
  [
    "Azure's REST API",
    {
      id: "/subscriptions/0/resourceGroups/g/providers/Microsoft.SignalRService/webPubSub/s/hubs/h",
      name: "h",
      type: "Microsoft.SignalRService/WebPubSub/hubs",
      systemData: { createdBy: "a" },
      properties: PROPERTIES,
    },
  ],
  [
    "az webpubsub hub show",
    {
      id: "/subscriptions/0",
      name: "h",
      properties: PROPERTIES,
      resourceGroup: "g",
      systemData: null,
      type: "Microsoft.SignalRService/WebPubSub/hubs",
    },
  ],
  [
    "az resource show",
    {
      extendedLocation: null,
      id: "/subscriptions/0",
      identity: null,
      kind: null,
      location: null,
      managedBy: null,
      name: "s/h",
      plan: null,
      properties: PROPERTIES,
      resourceGroup: "g",
      sku: null,
      tags: null,
      type: "Microsoft.SignalRService/WebPubSub/hubs",
    },
  ],
  [
    "a template",
    {
      type: "Microsoft.SignalRService/webPubSub/hubs",
      apiVersion: "2024-03-01",
      name: "[concat(parameters('s'), '/h')]",
      dependsOn: ["[resourceId('Microsoft.SignalRService/webPubSub', parameters('s'))]"],
      properties: { ...PROPERTIES, eventListeners: [] },
    },
  ],
  ["the properties alone", PROPERTIES],
  [
    "the emulator",
    {
      AnonymousConnectPolicy: "allow",
      EventHandlers: [
        {
          UrlTemplate: URL_TEMPLATE,
          EventPattern: "chat",
          SystemEvents: ["Connected"],
          Auth: null,
          GroupPresenceEvents: { EventNames: ["joined"] },
        },
      ],
      EventListeners: [],
      WebSocketKeepAliveIntervalInSeconds: 20,
    },
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
      test("are shown as they were given", async () => {
        const hub = service.newHub();
        const handlers = [
          {
            urlTemplate: "https://a.example/{hub}/{event}?code=1",
            userEventPattern: "*",
            systemEvents: ["connect", "connected", "disconnected"],
          },
          { urlTemplate: URL_TEMPLATE, userEventPattern: "chat, news", auth: { type: "None" } },
          {
            urlTemplate: "http://[2001:4860:4860::8888]:8080/",
            groupPresenceEvents: { eventNames: ["joined", "left"], groupFilters: ["room"] },
          },
          {
            urlTemplate: "http://10.0.0.1/",
            auth: { type: "Header", name: "X-Key", value: { secret: "HANDLER_SECRET_A" } },
          },
        ];
        const answer = await hub.configure({ eventHandlers: handlers });
        const shown = (await get(hub)).eventHandlers;
        assert.deepEqual(answer, await get(hub));
        assert.deepEqual(
          shown.map(({ urlTemplate }) => urlTemplate),
          handlers.map(({ urlTemplate }) => urlTemplate),
        );
        for (const [n, handler] of handlers.entries()) {
          for (const [name, value] of Object.entries(handler)) {
            if (name === "auth" && value.type === "None") continue;
            assert.deepEqual(shown[n][name], value, `${n} ${name}`);
          }
        }
        // What is shown may be given back.
        assert.deepEqual(await hub.configure(await get(hub)), answer);
      });

      for (const [who, exported] of EXPORTED) {
        test(`are taken as they are exported, and given back: ${who}`, async () => {
          const hub = service.newHub();
          const answer = await hub.configure(/** @type {object} */ (exported));
          assert.deepEqual(answer, {
            anonymousConnectPolicy: "allow",
            eventHandlers: [{ ...HANDLER, groupPresenceEvents: { eventNames: ["joined"], groupFilters: [] } }],
            webSocketKeepAliveIntervalInSeconds: 20,
            notes: answer.notes,
          });
          assert.match(answer.notes.join(), /webSocketKeepAliveIntervalInSeconds has no effect/);
          assert.deepEqual(await get(hub), answer);
          assert.deepEqual(await hub.configure(await get(hub)), answer);
          await Socket.open(hub.url);
        });
      }

      test("have a null where a value was not set, at every level", async () => {
        const hub = service.newHub();
        await hub.configure({
          anonymousConnectPolicy: null,
          eventHandlers: null,
          eventListeners: null,
          shards: null,
          webSocketKeepAliveIntervalInSeconds: null,
        });
        assert.deepEqual(await get(hub), { anonymousConnectPolicy: "deny", eventHandlers: [] });
        await hub.configure({
          properties: {
            eventHandlers: [
              {
                urlTemplate: URL_TEMPLATE,
                userEventPattern: null,
                systemEvents: null,
                auth: { type: null, managedIdentity: null },
                groupPresenceEvents: null,
              },
            ],
          },
        });
        assert.deepEqual((await get(hub)).eventHandlers, [
          { urlTemplate: URL_TEMPLATE, userEventPattern: "", systemEvents: [] },
        ]);
      });

      test("filter groups with the grammar of wildcard roles", async (t) => {
        const handler = await EventHandler.start(t);
        const groups = ["room", "room.1", "room.1.2", "Room.1", "a*", "ab", "abc"];
        for (const [groupFilters, delivered] of [
          [null, groups],
          [["**"], groups],
          [["*"], ["room", "a*", "ab", "abc"]],
          [["room.*"], ["room.1"]],
          [
            ["room.**", "a?"],
            ["room.1", "room.1.2", "a*", "ab"],
          ],
          [
            ["a\\*", "abc"],
            ["a*", "abc"],
          ],
        ]) {
          const hub = service.newHub();
          await hub.useHandler(handler, {
            userEventPattern: "last",
            groupPresenceEvents: { eventNames: ["joined"], groupFilters },
          });
          assert.deepEqual((await get(hub)).eventHandlers[0].groupPresenceEvents.groupFilters, groupFilters ?? []);
          const socket = await hub.connect({ roles: ALL_ROLES });
          for (const [ackId, group] of groups.entries()) await socket.ask({ type: "joinGroup", group, ackId });
          // An event waits for what happened before it.
          await socket.ask(event("last", groups.length));
          const joined = handler.asked.filter(
            ({ kind, connection }) => kind === "gp.joined" && connection === socket.id,
          );
          assert.deepEqual(
            joined.map(({ json }) => json.group),
            delivered,
            JSON.stringify(groupFilters),
          );
        }
      });

      test("have enumerations of any case", async () => {
        const hub = service.newHub();
        await hub.configure({
          anonymousConnectPolicy: "DENY",
          eventHandlers: [{ urlTemplate: URL_TEMPLATE, systemEvents: ["Connected"], auth: { type: "none" } }],
        });
        assert.deepEqual((await get(hub)).eventHandlers[0].systemEvents, ["connected"]);
      });

      test("keep secrets hidden, and keep them when given back hidden", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        const at = (path, auth) => ({ urlTemplate: `${handler.origin}/${path}`, userEventPattern: path, auth });
        const answer = await put(hub, {
          eventHandlers: [
            at("a", { type: "Bearer", token: "canary-one" }),
            at("b", { type: "Header", name: "x-key", value: "canary-two" }),
            at("c", { type: "Bearer", token: { secret: "HANDLER_SECRET_TOKEN" } }),
          ],
        });
        const shown = await service.manage("GET", `hubs/${hub.name}`);
        for (const { body } of [answer, shown]) {
          assert.ok(!body.includes("canary"), body);
          const auths = JSON.parse(body).eventHandlers.map(({ auth }) => auth);
          assert.deepEqual(auths, [
            { type: "Bearer", token: "***" },
            { type: "Header", name: "x-key", value: "***" },
            { type: "Bearer", token: { secret: "HANDLER_SECRET_TOKEN" } },
          ]);
        }
        // In another order, with another pattern and one more.
        const [a, b, c] = JSON.parse(shown.body).eventHandlers;
        await hub.configure({
          eventHandlers: [
            c,
            { ...b, userEventPattern: "b,more" },
            a,
            at("d", { type: "Bearer", token: "canary-three" }),
          ],
        });
        const socket = await hub.connect();
        for (const [n, [name, header, value]] of [
          ["a", "authorization", "Bearer canary-one"],
          ["more", "x-key", "canary-two"],
          ["c", "authorization", "Bearer from a variable"],
          ["d", "authorization", "Bearer canary-three"],
        ].entries()) {
          await socket.ask(event(name, n));
          assert.equal((await handler.next(`user.${name}`)).header(header), value, name);
        }
        // A secret stays with its URL: it is not sent to another.
        const stolen = await put(hub, { eventHandlers: [{ ...a, urlTemplate: "http://localhost:1/thief" }] });
        assert.equal(stolen.status, 400);
        assert.ok(!stolen.body.includes("canary"));
      });

      test("that name a secret that is not there fail events, and say so", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.useHandler(handler, {
          userEventPattern: "*",
          auth: { type: "Bearer", token: { secret: "HANDLER_SECRET_NOT_SET" } },
        });
        const socket = await hub.connect();
        assert.equal((await socket.ask(event("chat", 1))).success, false);
        assert.equal(handler.count("user.chat"), 0);
        const [latest] = (await hub.deliveries()).filter(({ event: name }) => name === "chat");
        assert.equal(latest.status, null);
        assert.ok(latest.error.length > 0);
      });

      test("that name a secret that is not for handlers are refused", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        for (const secret of [
          "WEBPUBSUB_ACCESS_KEY",
          "WEBPUBSUB_ACCESS_KEY_SECONDARY",
          "HUB_SETTINGS",
          "EVENT_TIMEOUT_SECONDS",
          "SHARDS",
          "ASSETS",
          "HANDLER_SECRET_",
        ]) {
          const answer = await put(hub, {
            eventHandlers: [
              { urlTemplate: handler.url, userEventPattern: "*", auth: { type: "Bearer", token: { secret } } },
            ],
          });
          assert.equal(answer.status, 400, secret);
          assert.match(answer.body, /HANDLER_SECRET_/);
        }
        await (await hub.connect()).ask(event("chat", 1));
        assert.deepEqual(handler.asked, []);
      });

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

      test("hold on every shard once answered, also when taken back", async (t) => {
        const [first, second] = [await EventHandler.start(t), await EventHandler.start(t)];
        const hub = service.newHub();
        const sockets = await Promise.all(Array.from({ length: 12 }, () => hub.connect()));
        let ackId = 0;
        const ask = async () => {
          ackId++;
          return (await Promise.all(sockets.map((socket) => socket.ask(event("chat", ackId))))).map(
            ({ success }) => success,
          );
        };
        for (let round = 0; round < 3; round++) {
          assert.ok(
            (await ask()).every((success) => !success),
            "no handler asks for them",
          );
          await hub.useHandler(first);
          assert.ok((await ask()).every(Boolean));
          await hub.useHandler(second, { userEventPattern: "*", systemEvents: ["connect"] });
          assert.ok((await ask()).every(Boolean));
          second.answer("sys.connect", { status: 403 });
          await assert.rejects(hub.connect(), Refused);
          assert.equal(first.count("user.chat"), (round + 1) * sockets.length);
          assert.equal(second.count("user.chat"), (round + 1) * sockets.length);
          assert.equal((await service.manage("DELETE", `hubs/${hub.name}`)).status, 204);
          (await hub.connect()).cut();
        }
      });

      test("hold for events of connections that are older than they", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        const socket = await hub.connect();
        await hub.useHandler(handler, { systemEvents: ["connected", "disconnected"] });
        await socket.close(1000, "bye");
        assert.deepEqual((await handler.next("sys.disconnected")).json, { reason: "bye" });
        assert.deepEqual(handler.kinds(), ["sys.disconnected"]);
      });

      test("show each attempt delivered, newest first, and no content", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.configure({
          eventHandlers: [
            {
              urlTemplate: `${handler.url}?code=canary-url`,
              userEventPattern: "*",
              systemEvents: ["connect", "connected"],
              auth: { type: "Bearer", token: "canary-auth" },
            },
          ],
        });
        assert.deepEqual(await hub.deliveries(), []);
        const socket = await hub.connect({ user: "canary-user" });
        handler.answer("user.chat", { status: 503, body: "canary-body" }, reset, hang, {
          headers: { "ce-connectionState": "canary-state", "set-cookie": "canary=cookie" },
        });
        assert.equal(
          (await socket.ask({ ...event("chat", 1), data: "canary-data", metadata: { a: "canary-metadata" } })).success,
          true,
        );
        handler.answer("user.chat", { status: 429 });
        await socket.ask(event("chat", 2));
        // What the Worker reports of connecting need not be there at once.
        let deliveries;
        await until(
          async () => (deliveries = await hub.deliveries()).some((one) => one.event === "connect"),
          "the delivery of connect",
        );
        const chats = deliveries.filter((one) => one.event === "chat");
        assert.deepEqual(
          chats.map(({ attempt, status }) => [attempt, status]),
          [
            [1, 429],
            [4, 200],
            [3, null],
            [2, null],
            [1, 503],
          ],
        );
        assert.deepEqual(
          chats.map(({ error }) => error),
          ["Status", null, "TimedOut", "Network", "Status"],
        );
        assert.deepEqual(
          deliveries
            .filter(({ event: name }) => ["connect", "connected"].includes(name))
            .map(({ event: name, status, error }) => [name, status, error])
            .sort(),
          [
            ["connect", 200, null],
            ["connected", 200, null],
          ],
        );
        const [handshake] = deliveries.filter((one) => one.event === "validate");
        assert.deepEqual([handshake.status, handshake.connectionId], [200, null]);
        for (const one of deliveries) {
          assert.ok(Math.abs(Date.parse(one.time) - Date.now()) < 60_000, one.time);
          assert.ok(Number.isInteger(one.durationMs) && one.durationMs >= 0, `${one.durationMs}`);
          assert.ok(one.connectionId === socket.id || one.event === "validate");
          assert.equal(one.url, handler.url);
        }
        const times = deliveries.map(({ time }) => Date.parse(time));
        assert.deepEqual(
          times,
          times.toSorted((a, b) => b - a),
        );
        assert.ok(!JSON.stringify(deliveries).includes("canary"), JSON.stringify(deliveries));
      });

      test(`show the last ${KEPT} deliveries of a hub, of all its shards`, async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.useHandler(handler);
        const sockets = await Promise.all(Array.from({ length: 5 }, () => hub.connect()));
        for (let n = 0; n < 50; n++) await Promise.all(sockets.map((socket) => socket.ask(event(`e${n}`, n))));
        const deliveries = await hub.deliveries();
        assert.equal(deliveries.length, KEPT);
        assert.equal(new Set(deliveries.map(({ connectionId }) => connectionId)).size, sockets.length);
        assert.equal(deliveries.filter((one) => one.event === "e49").length, sockets.length);
        assert.ok(!deliveries.some((one) => one.event === "e0"));
      });

      test("can be tested: handshake and signed sample, step by step", async (t) => {
        const handler = await EventHandler.start(t);
        const hub = service.newHub();
        await hub.configure({
          eventHandlers: [
            { urlTemplate: URL_TEMPLATE, userEventPattern: "nothing" },
            {
              urlTemplate: `${handler.origin}/{event}`,
              userEventPattern: "*",
              auth: { type: "Bearer", token: "canary" },
            },
            { urlTemplate: `${handler.origin}/named/{event}`, userEventPattern: "chat,news" },
          ],
        });
        const run = async (index) => {
          const { status, body } = await service.manage("POST", `hubs/${hub.name}/eventHandlers/${index}/:test`);
          assert.equal(status, 200, body);
          assert.ok(!body.includes("canary"));
          return JSON.parse(body);
        };
        const good = await run(1);
        assert.deepEqual(
          good.steps.map(({ step, ok, status }) => [step, ok, status]),
          [
            ["validation", true, 200],
            ["event", true, 200],
          ],
        );
        for (const { result } of good.steps) assert.ok(result.length > 10, result);
        assert.match(good.note, /sendToGroup/);
        assert.equal((await handler.next("OPTIONS")).url, "/validate");
        const sample = await handler.next("user.test");
        assert.deepEqual(
          [sample.url, sample.text, sample.header("content-type").split(";")[0]],
          ["/test", "A test of the event handler.", "text/plain"],
        );
        assert.equal(sample.header("authorization"), "Bearer canary");
        assert.equal(
          sample.header("ce-signature").split(",")[0],
          `sha256=${createHmac("sha256", service.key).update(sample.connection).digest("hex")}`,
        );
        assert.equal(sample.header("ce-source"), `/hubs/${hub.name}/client/${sample.connection}`);
        assert.equal(await hub.exists(`/connections/${sample.connection}`), false);

        await run(2);
        assert.equal((await handler.next("user.chat")).url, "/named/chat");

        handler.answer("user.test", { status: 404 });
        const unhandled = await run(1);
        assert.deepEqual(
          unhandled.steps.map(({ ok, status }) => [ok, status]),
          [
            [true, 200],
            [false, 404],
          ],
        );
        handler.answer("OPTIONS", { status: 403 });
        const [refused] = (await run(1)).steps;
        assert.deepEqual([refused.step, refused.ok, refused.status], ["validation", false, 403]);
        handler.answer("OPTIONS", {});
        const [unnamed] = (await run(1)).steps;
        assert.deepEqual([unnamed.ok, unnamed.status], [false, 200]);
        assert.match(unnamed.result, /WebHook-Allowed-Origin/);
        const [noServer] = (await run(0)).steps;
        assert.deepEqual([noServer.ok, noServer.status], [false, null]);
      });

      test("are an operator's: 401 without a token, 404, 405", async () => {
        const hub = service.newHub();
        await hub.configure(one());
        for (const [method, path] of [
          ["GET", "deliveries"],
          ["POST", "eventHandlers/0/:test"],
        ]) {
          const target = `hubs/${hub.name}/${path}`;
          assert.equal((await service.manage(method, target, { token: "" })).status, 401, path);
          assert.equal((await service.manage("PUT", target)).status, 405, path);
        }
        for (const index of ["1", "-1", "x", "99999999999999999999"]) {
          assert.equal(
            (await service.manage("POST", `hubs/${hub.name}/eventHandlers/${index}/:test`)).status,
            404,
            index,
          );
        }
        assert.deepEqual(await service.newHub().deliveries(), []);
      });
    });
  },
  {
    steady: OWN_SHARD,
    variables: { ...AT_ONCE, EVENT_TIMEOUT_SECONDS: TIMEOUT_SECONDS, HANDLER_SECRET_TOKEN: "from a variable" },
    inMemory: true,
  },
);

const [given, more] = [await EventHandler.start(), await EventHandler.start()];
after(() => [given, more].forEach((handler) => handler.stop()));

forEachShardCount(
  "Handlers of the settings file",
  (service) => {
    test("are called until an operator changes it; both are durable", async () => {
      const hub = new Hub(service, "chat");
      const expectCall = async (handler) => {
        const before = handler.count("user.chat");
        assert.equal((await (await hub.connect()).ask(event("chat", 1))).success, true);
        assert.equal(handler.count("user.chat"), before + 1);
      };
      await expectCall(given);
      assert.equal(
        (await (await service.newHub().connect()).ask(event("chat", 1))).success,
        false,
        "another hub's handlers are none",
      );
      await hub.useHandler(more);
      await expectCall(more);
      await service.crash();
      await service.start();
      await expectCall(more);
      await service.manage("DELETE", `hubs/${hub.name}`);
      await expectCall(given);
      await service.crash();
      await service.start();
      await expectCall(given);
    });
  },
  {
    steady: OWN_SHARD,
    variables: AT_ONCE,
    settings: { hubs: { chat: { eventHandlers: [{ urlTemplate: given.url, userEventPattern: "*" }] } } },
  },
);

forEachShardCount(
  "Handlers of the emulator's settings file",
  (service) => {
    test("receive each hub's own events, beside Azure's settings", async () => {
      for (const [name, count] of cases([
        ["chat", 1],
        ["exported", 1],
        ["other", 0],
      ])) {
        const before = given.count("user.file");
        const { success } = await (await new Hub(service, name).connect()).ask(event("file", 1));
        assert.deepEqual([success, given.count("user.file") - before], [count === 1, count], name);
      }
    });
  },
  {
    steady: OWN_SHARD,
    variables: AT_ONCE,
    inMemory: true,
    settings: {
      Logging: { LogLevel: { Default: "Information" } },
      Urls: "http://localhost:8080",
      WebPubSub: {
        Hubs: {
          Chat: {
            EventHandlers: [{ UrlTemplate: given.url, EventPattern: "*", SystemEvents: ["connected"] }],
            EventListeners: [],
          },
          exported: {
            name: "exported",
            properties: {
              eventHandlers: [
                { urlTemplate: given.url, userEventPattern: "*", auth: { type: "None", managedIdentity: null } },
              ],
              eventListeners: [],
            },
          },
        },
      },
    },
  },
);
