// Users and groups of any name, through Microsoft's server packages, which escape them each in its own way.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { odata, WebPubSubServiceClient } from "@azure/web-pubsub";
import { runPython } from "../support/python.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { JSON_V1, Socket } from "../support/socket.mjs";

/** What URLs, filters, SQL, JSON or a careless reader could take for something else. */
const NAMES = [
  ...["a b", " a", "a ", "a+b", "a%20b", "a%2Fb", "%", "%zz", "%00", "%2e%2e", "100%"],
  ...["a/b", "/", "//a/", "a/../b", "../a", "...", "a\\b", "a?b#c", "a&b=c", "a;b,c", "a:b"],
  ...[":send", ":closeConnections", "groups", "groups/a", "null", "0", "[object Object]"],
  ...["O'Brien", "''", 'a"b', "x') or ('' eq '", "[a]{b}|^`<>~", "!*'()", "@$"],
  ...["ü", "u\u0308", "日本", "😀", "İ", "ſ", "\ufeffa", "a\u202eb", "a\nb\tc", "\u0001", "\u007f", "\u{10ffff}"],
  ...["y".repeat(1024), "é".repeat(512)],
];

/** A server of each package, whose calls have the same names and come to the same. */
const SERVERS = { JavaScript: inJavaScript, Python: inPython };

forEachShardCount(
  "Names",
  (service) => {
    for (const [language, serve] of Object.entries(SERVERS)) {
      describe(language, () => {
        test("every user and group is who its name says", async () => {
          const hub = service.newHub();
          const bystander = await hub.connect({ user: "bystander", groups: ["bystanders"] });
          const sockets = await Promise.all(
            NAMES.map((name) => hub.connect({ user: name, groups: [name], roles: [`webpubsub.sendToGroup.${name}`] })),
          );
          for (const [n, { connected }] of sockets.entries()) assert.equal(connected.userId, NAMES[n]);
          const seen = await serve(
            service,
            hub,
            sockets.map(({ id }) => id),
          );
          const found = { user: true, group: true, revoked: false, granted: true, removed: false, added: true };
          for (const [n, name] of NAMES.entries()) {
            assert.deepEqual(seen[n], { ...found, members: [[sockets[n].id, name]], closed: false }, name);
            for (const data of ["to the user", "to the group", "to who matches"])
              assert.equal((await sockets[n].json()).data, data, name);
            await sockets[n].expectClosedByServer(`for ${name}`);
          }
          await bystander.expectSilence();
        });

        test("tokens say whose they are", async () => {
          const hub = service.newHub();
          const urls = await serve(service, hub);
          await Promise.all(
            NAMES.map(async (name, n) => {
              const socket = await Socket.open(String(urls[n]), { protocols: JSON_V1 });
              assert.equal((await socket.json()).userId, name);
              assert.equal((await socket.ask({ type: "leaveGroup", group: name, ackId: 1 })).success, true, name);
              assert.equal(await hub.exists(`/users/${encodeURIComponent(name)}`), true, name);
            }),
          );
        });
      });
    }
  },
  { steady: "it is about names" },
);

/**
 * What a server finds of each name, or without `ids` their clients' URLs.
 * @param {import("../support/service.mjs").Service} service
 * @param {import("../support/hub.mjs").Hub} hub
 * @param {string[]} [ids]
 */
async function inJavaScript(service, hub, ids) {
  const server = new WebPubSubServiceClient(service.connectionString, hub.name, { allowInsecureConnection: true });
  const text = /** @type {const} */ ({ contentType: "text/plain" });
  return Promise.all(
    NAMES.map(async (name, n) => {
      const group = server.group(name);
      if (!ids) {
        const token = { userId: name, groups: [name], roles: [`webpubsub.joinLeaveGroup.${name}`] };
        return (await server.getClientAccessToken(token)).url;
      }
      const target = { targetName: name };
      const seen = /** @type {Record<string, unknown>} */ ({});
      seen.user = await server.userExists(name);
      seen.group = await server.groupExists(name);
      await server.sendToUser(name, "to the user", text);
      await group.sendToAll("to the group", text);
      await server.sendToAll("to who matches", { ...text, filter: odata`userId eq ${name} and ${name} in groups` });
      await server.revokePermission(ids[n], "sendToGroup", target);
      seen.revoked = await server.hasPermission(ids[n], "sendToGroup", target);
      await server.grantPermission(ids[n], "sendToGroup", target);
      seen.granted = await server.hasPermission(ids[n], "sendToGroup", target);
      await group.removeUser(name);
      seen.removed = await server.groupExists(name);
      await group.addUser(name);
      seen.added = await server.groupExists(name);
      const members = [];
      for await (const { connectionId, userId } of await group.listConnections()) members.push([connectionId, userId]);
      seen.members = members;
      await server.closeUserConnections(name, { reason: `for ${name}` });
      seen.closed = await server.userExists(name);
      return seen;
    }),
  );
}

/** @type {typeof inJavaScript} */
function inPython(service, hub, ids) {
  const script = fileURLToPath(new URL("names.py", import.meta.url));
  return runPython(script, [service.connectionString, hub.name, JSON.stringify(NAMES), JSON.stringify(ids ?? null)]);
}
