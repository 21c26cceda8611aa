// A service that is not on one's own machine calls handlers on the public internet only, and nothing that is secret leaves it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AT_ONCE, EventHandler, garbage, OWN_SHARD, reset } from "../../support/event-handler.mjs";
import { request } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { Refused, Socket } from "../../support/socket.mjs";
import { clientClaims, sign } from "../../support/token.mjs";

/** Hosts that are no public ones, however they are spelled. */
const PRIVATE_HOSTS = [
  ["loopback", "127.0.0.1"],
  ["the end of loopback", "127.255.255.254"],
  ["loopback, short", "127.1"],
  ["loopback, with three parts", "127.0.1"],
  ["loopback, as one number", "2130706433"],
  ["loopback, in hexadecimal", "0x7f000001"],
  ["loopback, in hexadecimal parts", "0x7f.0x0.0x0.0x1"],
  ["loopback, in octal", "017700000001"],
  ["loopback, in octal parts", "0177.0.0.01"],
  ["loopback, with leading zeros", "127.000.000.001"],
  ["loopback, with a dot at the end", "127.0.0.1."],
  ["loopback, with escapes", "127%2E0%2E0%2E1"],
  ["loopback, one digit escaped", "12%37.0.0.1"],
  ["loopback, in wide digits", "１２７.０.０.１"],
  ["loopback, with ideographic dots", "127。0。0。1"],
  ["loopback, in circled digits", "①②⑦.⓪.⓪.①"],
  ["this host", "0.0.0.0"],
  ["this host, as one digit", "0"],
  ["this network", "0.1.2.3"],
  ["ten", "10.0.0.1"],
  ["ten, short", "10.1"],
  ["172.16", "172.16.0.1"],
  ["172.31", "172.31.255.255"],
  ["192.168", "192.168.1.1"],
  ["link-local, where clouds keep their secrets", "169.254.169.254"],
  ["link-local, as one number", "2852039166"],
  ["link-local, in hexadecimal", "0xA9FEA9FE"],
  ["behind a carrier", "100.64.0.1"],
  ["behind a carrier, to the end", "100.127.255.255"],
  ["protocol assignments", "192.0.0.1"],
  ["documentation", "192.0.2.1"],
  ["more documentation", "198.51.100.1"],
  ["yet more documentation", "203.0.113.1"],
  ["benchmarks", "198.18.0.1"],
  ["more benchmarks", "198.19.255.255"],
  ["multicast", "224.0.0.1"],
  ["reserved", "240.0.0.1"],
  ["broadcast", "255.255.255.255"],
  ["unspecified", "[::]"],
  ["IPv6 loopback", "[::1]"],
  ["IPv6 loopback, spelled out", "[0:0:0:0:0:0:0:1]"],
  ["IPv6 loopback, with a zone", "[fe80::1%25eth0]"],
  ["loopback, mapped", "[::ffff:127.0.0.1]"],
  ["loopback, mapped in hexadecimal", "[::ffff:7f00:1]"],
  ["loopback, compatible", "[::127.0.0.1]"],
  ["link-local, mapped", "[::ffff:169.254.169.254]"],
  ["ten, by NAT64", "[64:ff9b::a00:1]"],
  ["loopback, by 6to4", "[2002:7f00:1::]"],
  ["loopback, by Teredo", "[2001:0:7f00:1::]"],
  ["unique local", "[fd00::1]"],
  ["more unique local", "[fc00::1]"],
  ["IPv6 link-local", "[fe80::1]"],
  ["site-local", "[fec0::1]"],
  ["IPv6 multicast", "[ff02::1]"],
  ["IPv6 documentation", "[2001:db8::1]"],
  ["a name of this host", "localhost"],
  ["a name of this host, shouted", "LOCALHOST"],
  ["a name of this host, with a dot at the end", "localhost."],
  ["a name under localhost", "api.localhost"],
  ["a name in the local network", "printer.local"],
  ["an internal name", "metadata.google.internal"],
  ["the zone of home networks itself", "home.arpa"],
  ["the zone of home networks itself, in capitals", "HOME.ARPA"],
  ["the zone of home networks itself, with a dot at the end", "home.arpa."],
  ["a name in a home network", "nas.home.arpa"],
  ["the zone of services itself", "service.arpa"],
  ["the zone of resolvers itself", "resolver.arpa"],
  ["the name of IPv4 behind IPv6", "ipv4only.arpa"],
  ["a name in a company's network", "wiki.corp"],
  ["a name outside the DNS", "service.alt"],
  ...[
    "test",
    "invalid",
    "example",
    "local",
    "onion",
    "alt",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "localdomain",
  ].map((zone) => [`a zone itself: ${zone}`, zone]),
  ["a name without a dot", "intranet"],
  ["a last label of digits", "a.example.1"],
  ["a last label in hexadecimal", "1.2.3.0x4"],
  ["an empty host", ""],
  ["a user before the host", "public.example@127.0.0.1"],
  ["a backslash before the host", "public.example\\@127.0.0.1"],
  ["a host with a blank", "127.0.0.1 .example.com"],
  ["a host with a line end", "127.0.0.1\r\n.example.com"],
  ["a host with a tab in it", "local\thost"],
  ["a host with a soft hyphen", "local\u00adhost"],
  ["a host of letters that look like others", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ"],
  ["a host with an escape", "localhost%00.example.com"],
];

const handlers = (urlTemplate) => JSON.stringify({ eventHandlers: [{ urlTemplate, userEventPattern: "*" }] });

forEachShardCount(
  "Handlers of a public service",
  (service) => {
    const put = (hub, body) => service.manage("PUT", `hubs/${hub.name}`, { body });

    describe("at the same time", { concurrency: 8 }, () => {
      for (const [what, host] of PRIVATE_HOSTS) {
        test(`are at no address that is not public: ${what}`, async () => {
          const hub = service.newHub();
          for (const urlTemplate of [
            `https://${host}/eventhandler`,
            `https://${host}:8443/{event}?a=b`,
            `http://${host}/`,
          ]) {
            const { status, body } = await put(hub, handlers(urlTemplate));
            assert.equal(status, 400, urlTemplate);
            assert.ok(body.startsWith("Invalid settings: eventHandlers.0.urlTemplate"), body);
          }
          assert.deepEqual(JSON.parse((await service.manage("GET", `hubs/${hub.name}`)).body).eventHandlers, []);
        });
      }

      test("have TLS", async () => {
        const hub = service.newHub();
        const { status, body } = await put(hub, handlers("http://public.example.com/eventhandler"));
        assert.equal(status, 400);
        assert.match(body, /https|ALLOW_PRIVATE_EVENT_HANDLERS/);
      });

      test("are anywhere else", async () => {
        const hub = service.newHub();
        for (const host of [
          "example.com",
          "EXAMPLE.com:8443",
          "a-b.c_d.example.co.uk",
          "xn--bcher-kva.example.com",
          "8.8.8.8",
          "172.32.0.1",
          "100.128.0.1",
          "192.169.0.1",
          "[2001:4860:4860::8888]",
          "[2001:4860:4860:0:0:0:0:8888]:444",
          "localhost.example.com",
          "1.example.com",
        ]) {
          const { status, body } = await put(hub, handlers(`https://${host}/eventhandler`));
          assert.equal(status, 200, `${host}: ${body}`);
        }
      });
    });
  },
  { steady: OWN_SHARD, inMemory: true },
);

forEachShardCount(
  "Handlers of a service that was private",
  (service) => {
    test("are not called at private addresses that were once allowed", async (t) => {
      const handler = await EventHandler.start(t);
      const hub = service.newHub();
      await service.crash();
      service.variables = AT_ONCE;
      await service.start();
      await hub.useHandler(handler, { userEventPattern: "*", systemEvents: ["connected"] });
      const event = { type: "event", event: "chat", data: 1, ackId: 1 };
      assert.equal((await (await hub.connect()).ask(event)).success, true);
      const before = handler.asked.length;
      await service.crash();
      service.variables = {};
      await service.start();
      assert.equal((await (await hub.connect()).ask(event)).error.name, "InternalServerError");
      const [step] = JSON.parse((await service.manage("POST", `hubs/${hub.name}/eventHandlers/0/:test`)).body).steps;
      assert.equal(step.ok, false);
      assert.equal(handler.asked.length, before);
    });
  },
  { steady: OWN_SHARD, inMemory: true },
);

forEachShardCount(
  "Secrets",
  (service) => {
    test("appear in no log, no error, no delivery and no settings", async (t) => {
      const handler = await EventHandler.start(t);
      const hub = service.newHub();
      const outside = [];
      const put = async (settings) => {
        const answer = await service.manage("PUT", `hubs/${hub.name}`, { body: JSON.stringify(settings) });
        outside.push(answer.body, JSON.stringify(answer.headers));
        return answer.status;
      };
      const auth = { type: "Bearer", token: "canary-literal" };
      const which = { userEventPattern: "*", systemEvents: ["connect", "connected", "disconnected"] };
      const at = (path, more) => ({
        urlTemplate: `${handler.origin}/${path}?code=canary-query`,
        ...which,
        auth,
        ...more,
      });
      for (const wrong of [
        at("x", { systemEvents: ["canary"] }),
        at("x", { auth: { type: "Bearer", token: "canary\n" } }),
        at("x", { auth: { type: "Header", name: "canary name", value: "canary-value" } }),
        { ...at("x"), urlTemplate: "https://user:canary-password@a.example/?canary-query" },
        { ...at("x"), urlTemplate: "ftp://a.example/?canary-query" },
      ]) {
        assert.equal(await put({ eventHandlers: [wrong] }), 400);
      }
      assert.equal(
        await put({
          eventHandlers: [
            at("a", { userEventPattern: "a" }),
            at("b", { auth: { type: "Header", name: "x-key", value: { secret: "HANDLER_SECRET_TOKEN" } } }),
          ],
        }),
        200,
      );

      const open = (hub) => {
        const token = sign(
          { ...clientClaims({ audience: hub.audience, user: "canary-user" }), canary: "canary-claim" },
          service.key,
        );
        tokens.push(token);
        const headers = { cookie: "canary=cookie", "x-canary": "canary-header" };
        return Socket.open(`${hub.url}?access_token=${token}&q=canary-parameter`, {
          protocols: "json.webpubsub.azure.v1",
          headers,
        });
      };
      const tokens = [];
      for (const answer of [
        { status: 500, body: "canary-answer" },
        reset,
        garbage,
        { status: 302, headers: { location: "http://127.0.0.1:1/?canary-location" } },
        { body: "canary-words" },
      ]) {
        const refusing = service.newHub();
        await refusing.useHandler(handler, {
          ...which,
          urlTemplate: `${handler.origin}/${refusing.name}?code=canary-query`,
          auth,
        });
        handler.answer("sys.connect", answer);
        await assert.rejects(open(refusing), (error) => {
          assert.ok(error instanceof Refused);
          outside.push(error.body, JSON.stringify(error.headers));
          return true;
        });
      }
      handler.answer("sys.connect", {
        headers: { "ce-connectionState": "canary-state", "set-cookie": "canary=set" },
        body: '{"userId":"canary-user"}',
      });
      for (const answer of [
        { status: 400, body: "canary-answer" },
        { status: 500 },
        reset,
        garbage,
        { headers: { "content-type": "canary/canary" }, body: "canary-answer" },
      ]) {
        handler.answer("user.a", answer);
        handler.answer("user.b", answer);
        const socket = await open(hub);
        await socket.json();
        for (const name of ["a", "b", "a"]) {
          const ack = await socket.ask({
            type: "event",
            event: name,
            dataType: "text",
            data: "canary-payload",
            metadata: { k: "canary-metadata" },
            ackId: 1,
          });
          outside.push(JSON.stringify(ack));
        }
        await socket.close(1000, "canary-reason");
      }
      handler.answer("OPTIONS", {
        status: 403,
        headers: { "WebHook-Allowed-Origin": "canary.example" },
        body: "canary-answer",
      });
      for (const [method, path] of [
        ["GET", ""],
        ["GET", "/deliveries"],
        ["POST", "/eventHandlers/0/:test"],
        ["POST", "/eventHandlers/1/:test"],
      ]) {
        outside.push((await service.manage(method, `hubs/${hub.name}${path}`)).body);
      }
      outside.push(
        (await service.manage("GET", "metrics")).body,
        (await request(service.endpoint, "GET", `/client/hubs/${hub.name}?access_token=${tokens[0]}`)).body,
      );

      // A URL is its settings' own: GET shows it whole, as it was given.
      const said = outside.join("\n").replaceAll("code=canary-query", "code=…");
      assert.ok(
        !/canary/i.test(said),
        said
          .split("\n")
          .filter((line) => /canary/i.test(line))
          .join("\n"),
      );
      for (const secret of [service.key, service.secondaryKey, ...tokens]) assert.ok(!said.includes(secret));
      const log = service.output;
      for (const secret of [/canary/i, service.key, service.secondaryKey, ...tokens, "from-a-variable"]) {
        assert.ok(
          typeof secret === "string" ? !log.includes(secret) : !secret.test(log),
          `${secret} in the log:\n${log
            .split("\n")
            .filter((line) => line.match(secret))
            .join("\n")}`,
        );
      }
      assert.ok(!said.includes("from-a-variable"));
    });
  },
  { steady: OWN_SHARD, variables: { ...AT_ONCE, HANDLER_SECRET_TOKEN: "from-a-variable" }, inMemory: true },
);
