// What an operator does under /management/: settings of hubs, their number of shards, metrics.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pass } from "node:timers/promises";
import { present } from "../../support/found.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { exchange, hasHead } from "../../support/raw.mjs";
import { expectUnauthorized, MISSING_TOKEN } from "../../support/rest.mjs";
import { Service, forEachShardCount } from "../../support/service.mjs";
import { Socket } from "../../support/socket.mjs";
import { sign } from "../../support/token.mjs";
import { until } from "../../support/waiting.mjs";

const MAP_TTL_MS = 300;

async function shardsOf(service, hub) {
  const { status, body } = await service.manage("GET", `hubs/${hub.name}/shards`);
  assert.equal(status, 200, body);
  return JSON.parse(body).shards.map(({ state }) => state);
}

async function resize(service, hub, shards) {
  const { status, body } = await service.manage("PUT", `hubs/${hub.name}`, { body: JSON.stringify({ shards }) });
  assert.equal(status, 200, body);
  assert.equal(JSON.parse(body).shards, shards);
}

/** Waits until a hub has exactly so many shards. */
function settled(service, hub, shards) {
  const wanted = Array(shards).fill("active").join();
  return until(async () => (await shardsOf(service, hub)).join() === wanted, `${shards} active shards`);
}

forEachShardCount(
  "Management",
  (service) => {
    test("a caller without a token for the URL is answered 401", async () => {
      const foreign = sign({ aud: `${service.endpoint}/api/hubs/chat` }, service.key);
      for (const token of ["", "x.y.z", foreign]) {
        for (const path of ["hubs", "hubs/chat", "hubs/chat/shards", "metrics", "nothing"]) {
          const answer = await service.manage("GET", path, { token });
          expectUnauthorized(
            answer,
            {
              "": MISSING_TOKEN,
              "x.y.z":
                "The access token is malformed: it is no JSON Web Token, or a claim has another type than it should.",
              [foreign]: "The access token's audience (`aud`) names another path than the request.",
            }[token],
          );
        }
      }
    });

    test("a token is for exactly its path, none above, below or beside", async () => {
      const hub = service.newHub();
      const path = `hubs/${hub.name}`;
      const put = (audience) =>
        service.manage("PUT", path, {
          token: sign({ aud: `${service.endpoint}${audience}` }, service.key),
          body: '{"anonymousConnectPolicy":"allow"}',
        });
      const own = `/management/${path}`;
      for (const audience of [
        `${own}/deliveries`,
        `${own}/shards`,
        `${own}/eventHandlers/0/:test`,
        `${own}/`,
        `${own}//`,
        `${own}/..`,
        `${own}%2Fdeliveries`,
        `${own}%2F`,
        `${own}%3F`,
        `${own}%23`,
        `${own}x`,
        own.slice(0, -1),
        "/management/hubs",
        "/management/hubs/",
        "/management",
        "/",
        "",
        own.toUpperCase(),
        own.replace("hub_", "Hub_"),
        own.replace("hubs", "%2568ubs"),
        own.replace("hub_", "h%75b_"),
        own.replace("/hubs", "//hubs"),
        own.replace("/management", ""),
        own.replace("management", "api"),
        `/api/${path}`,
        `/client/${path}`,
        `?${own}`,
        `#${own}`,
      ]) {
        const { status, body } = await put(audience);
        assert.equal(status, 401, `${audience}: ${body}`);
      }
      await assert.rejects(Socket.open(hub.url), { status: 401 });
      for (const query of ["", "?", "?api-version=1", "?/deliveries"])
        assert.equal((await put(own + query)).status, 200, query);
      // One that goes on is another.
      const longer = sign({ aud: `${service.endpoint}${own}` }, service.key);
      for (const below of ["deliveries", "shards", ""])
        assert.equal((await service.manage("GET", `${path}/${below}`, { token: longer })).status, 401, below);
      // A query of the request's own does not count.
      assert.equal((await service.manage("GET", `${path}?x=1`, { token: longer })).status, 200);
    });

    test("a body above 1 MiB is refused before it is read", async () => {
      const hub = service.newHub();
      const path = `hubs/${hub.name}`;
      const token = sign({ aud: `${service.endpoint}/management/${path}` }, service.key);
      const { host } = new URL(service.endpoint);
      const head = `PUT /management/${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${2 ** 31}\r\n\r\n{`;
      assert.match(await exchange(service, Buffer.from(head), hasHead), /^HTTP\/1\.1 413 /);
      const settings = (length) => '{"anonymousConnectPolicy":"allow"}'.padEnd(length);
      // In pieces without a length as well.
      const pieces = Array.from({ length: 17 }, () => settings(65_536));
      for (const body of [settings(1_048_577), pieces]) {
        const refused = await service.manage("PUT", path, { body });
        assert.deepEqual([refused.status, refused.body], [413, "The settings of a hub are at most 1 MiB of JSON."]);
      }
      await assert.rejects(Socket.open(hub.url), { status: 401 });
      assert.equal((await service.manage("PUT", path, { body: settings(1_048_576) })).status, 200);
      assert.equal(
        (await service.manage("PUT", path, { body: Buffer.from([0x7b, 0xff, 0x7d]) })).body,
        "Invalid settings: the settings should be JSON.",
      );
      await Socket.open(hub.url);
    });

    test("a hub's settings are set and removed, and hold from then on", async () => {
      const hub = service.newHub();
      const get = async () => JSON.parse((await service.manage("GET", `hubs/${hub.name}`)).body);
      assert.deepEqual(await get(), { anonymousConnectPolicy: "deny", eventHandlers: [] });
      await assert.rejects(Socket.open(hub.url), { status: 401 });
      const allowed = await service.manage("PUT", `hubs/${hub.name}`, { body: '{"anonymousConnectPolicy":"Allow"}' });
      assert.deepEqual([allowed.status, JSON.parse(allowed.body).anonymousConnectPolicy], [200, "allow"]);
      await Socket.open(hub.url);
      assert.equal((await get()).anonymousConnectPolicy, "allow");
      assert.equal((await service.manage("DELETE", `hubs/${hub.name}`)).status, 204);
      await assert.rejects(Socket.open(hub.url), { status: 401 });
      assert.ok(JSON.parse((await service.manage("GET", "hubs")).body).hubs.includes(hub.name));
    });

    test("a hub is known once it let a client in, not for being asked", async () => {
      const [used, asked] = [service.newHub(), service.newHub()];
      await used.connect();
      await assert.rejects(Socket.open(asked.url), { status: 401 });
      const known = async () => JSON.parse((await service.manage("GET", "hubs")).body).hubs;
      await until(async () => (await known()).includes(used.name), "the hub that is used");
      assert.ok(!(await known()).includes(asked.name));
    });

    test("wrong settings are refused whole, with fault and place", async () => {
      const hub = service.newHub();
      for (const [body, words] of [
        ["", "the settings should be JSON"],
        ["[]", "the settings should be an object"],
        ['{"anonymousConnectPolicy":"allow","shards":0}', "shards should be a whole number from 1 to 1024"],
        ['{"x":1}', "x should be left out: it is no setting of a hub"],
      ]) {
        const answer = await service.manage("PUT", `hubs/${hub.name}`, { body });
        assert.deepEqual([answer.status, answer.body], [400, `Invalid settings: ${words}.`]);
      }
      await assert.rejects(Socket.open(hub.url), { status: 401 }, "nothing is half applied");
    });

    test("other methods, paths and names are refused", async () => {
      assert.equal((await service.manage("POST", "hubs")).status, 405);
      assert.equal((await service.manage("PATCH", "hubs/chat")).headers.allow, "GET, PUT, DELETE");
      assert.equal((await service.manage("GET", "nothing")).status, 404);
      assert.equal((await service.manage("GET", "hubs/1")).status, 400);
    });

    test("metrics of every shard come in Prometheus' text format", async () => {
      const hub = service.newHub();
      const reliable = await hub.connectReliable();
      await hub.connect();
      await hub.send("", "one");
      await reliable.json();
      const { status, headers, body } = await service.manage("GET", "metrics");
      assert.equal(status, 200);
      assert.match(headers["content-type"] ?? "", /^text\/plain/);
      const sum = (name) => {
        const lines = body.split("\n").filter((line) => line.startsWith(`${name}{hub="${hub.name}"`));
        assert.equal(lines.length, service.shards);
        return lines.reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
      };
      assert.equal(sum("webpubsub_connections"), 2);
      assert.equal(sum("webpubsub_unacknowledged_messages"), 1);
      assert.equal(sum("webpubsub_log_rows"), 1);
      assert.equal(body.match(/^# TYPE webpubsub_connections gauge$/gm)?.length, 1);
    });
  },
  { steady: "it sets and counts shards itself" },
);

describe("A changing number of shards", () => {
  const service = new Service({ shards: 1, variables: { MAP_TTL_MS, DRAIN_SECONDS: 1 } });
  before(() => service.start());
  after(() => service.stop());

  /** Publishes over a connection and over REST until asked to stop; returns how many were accepted of each. */
  function publish(hub, publisher) {
    let stopped = false;
    const done = (async () => {
      const count = { client: 0, server: 0 };
      while (!stopped) {
        const ackId = count.client + 1;
        await publisher.ask({ type: "sendToGroup", group: "room", dataType: "text", data: `client ${ackId}`, ackId });
        count.client++;
        await hub.send("/groups/room", `server ${count.server + 1}`);
        count.server++;
        await pass(5);
      }
      return count;
    })();
    return { stop: () => ((stopped = true), done) };
  }

  /** Everything that a member received, in order, up to what was published last. */
  async function expectAll(member, { client, server }) {
    const received = { client: 0, server: 0 };
    while (received.client < client || received.server < server) {
      const { data, sequenceId } = await member.json();
      const [from, number] = data.split(" ");
      assert.equal(Number(number), ++received[from], `${data} comes in order`);
      assert.equal(sequenceId, member.protocol.includes("reliable") ? received.client + received.server : undefined);
    }
  }

  test("one becomes four under load without loss, copies or disorder", async () => {
    const hub = service.newHub();
    const members = [await hub.connect({ groups: ["room"] }), await hub.connectReliable({ groups: ["room"] })];
    const publisher = await hub.connect({ roles: ALL_ROLES });
    const load = publish(hub, publisher);
    await resize(service, hub, 4);
    await settled(service, hub, 4);
    const count = await load.stop();
    for (const member of members) await expectAll(member, count);

    // New ones are spread over all of them, and receive what the old one publishes.
    const late = await Promise.all(Array.from({ length: 24 }, () => hub.connectReliable({ groups: ["room"] })));
    const shards = new Set(late.map(({ id }) => Buffer.from(id, "base64url").readUInt16BE(1)));
    assert.ok(shards.size > 1, [...shards].join());
    await publisher.ask({ type: "sendToGroup", group: "room", dataType: "text", data: "to all", ackId: 1_000_000 });
    for (const member of late) assert.equal((await member.json()).data, "to all");
    const { body } = await hub.rest("GET", "/groups/room/connections");
    assert.equal(JSON.parse(body).value.length, members.length + late.length);
  });

  test("four become two: clients move after DRAIN_SECONDS", async () => {
    const hub = service.newHub();
    await resize(service, hub, 4);
    await settled(service, hub, 4);
    const all = await Promise.all(Array.from({ length: 24 }, () => hub.connectReliable({ groups: ["room"] })));
    const shardOf = ({ id }) => Buffer.from(id, "base64url").readUInt16BE(1);
    const staying = all.filter((socket) => shardOf(socket) < 2);
    const going = all.filter((socket) => shardOf(socket) >= 2);
    assert.ok(staying.length > 0 && going.length > 0);
    const publisher = present(staying.pop(), "a connection that stays");
    await hub.rest("PUT", `/permissions/sendToGroup/connections/${publisher.id}`, { query: { targetName: "room" } });
    await resize(service, hub, 2);
    for (const socket of going) {
      const goodbye = await socket.json();
      assert.equal(goodbye.event, "disconnected");
      assert.equal((await socket.closed()).code, 1008);
      const again = await hub.recover(socket);
      assert.equal((await again.closed()).code, 1008, "it has to make a new connection");
      const fresh = await hub.connectReliable({ groups: ["room"] });
      assert.ok(shardOf(fresh) < 2);
      staying.push(fresh);
    }
    await settled(service, hub, 2);
    await hub.send("/groups/room", "after");
    for (const socket of staying) assert.equal((await socket.json()).data, "after");
    assert.equal(JSON.parse((await hub.rest("GET", "/groups/room/connections")).body).value.length, staying.length + 1);
  });

  test("a client away while its shard drains gets what it missed", async () => {
    const hub = service.newHub();
    await resize(service, hub, 2);
    await settled(service, hub, 2);
    let alice;
    do alice = await hub.connectReliable();
    while (Buffer.from(alice.id, "base64url").readUInt16BE(1) !== 1);
    alice.cut();
    await hub.send(`/connections/${alice.id}`, "missed");
    await resize(service, hub, 1);
    await until(async () => (await shardsOf(service, hub)).join() === "active,draining", "the draining");
    const again = await hub.recover(alice);
    assert.equal((await again.json()).data, "missed");
    assert.equal((await again.json()).event, "disconnected");
    assert.equal((await again.closed()).code, 1008);
    await settled(service, hub, 1);
  });

  test("the number of shards outlives the process, also mid-change", async () => {
    const hub = service.newHub();
    await resize(service, hub, 3);
    await service.crash();
    await service.start();
    await settled(service, hub, 3);
    assert.equal(JSON.parse((await service.manage("GET", `hubs/${hub.name}`)).body).shards, 3);
    await service.crash();
    await service.start();
    assert.equal((await shardsOf(service, hub)).length, 3);
  });
});
