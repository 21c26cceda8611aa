// What an operator says of a hub's event handlers: how it is given, shown and followed, over REST and in a file.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { AT_ONCE, EventHandler, OWN_SHARD } from "../../support/event-handler.mjs";
import { ALL_ROLES, Hub } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { Refused, Socket } from "../../support/socket.mjs";
import { cases } from "../../support/cases.mjs";

const URL_TEMPLATE = "http://localhost:1/eventhandler";

const event = (name, ackId) => ({ type: "event", event: name, dataType: "text", data: "hi", ackId });

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

forEachShardCount(
  "Handlers' settings",
  (service) => {
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
    });
  },
  { steady: OWN_SHARD, variables: AT_ONCE, inMemory: true },
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
