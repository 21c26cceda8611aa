// What an operator can set, and what comes of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { upgrade } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { clientClaims, sign } from "../../support/token.mjs";
import { cases } from "../../support/cases.mjs";

const LIMIT = 3;

forEachShardCount(
  "Settings",
  (service) => {
    test("a hub with room takes clients; a full one says 503 and when", async () => {
      const hub = service.newHub();
      const room = LIMIT * service.shards;
      const connections = [];
      for (let n = 0; n < room; n++) connections.push(await hub.connect());
      const knock = () => upgrade(service.endpoint, `/client/hubs/${hub.name}?access_token=${hub.token()}`);
      const { status, headers } = await knock();
      assert.equal(status, 503);
      assert.ok(Number(headers["retry-after"]) > 0);
      await hub.send("", "those inside stay");
      for (const connection of connections) assert.equal((await connection.json()).data, "those inside stay");
      await service.newHub().connect();

      await connections[0].close(1000);
      await hub.connect();
      assert.equal((await knock()).status, 503);
    });

    test("hosts that are accepted are audiences too, and no others", async () => {
      const hub = service.newHub();
      for (const [host, inside] of cases([
        ["proxy.example", true],
        ["PROXY.example", true],
        ["other.example:8443", true],
        ["elsewhere.example", false],
      ])) {
        const claims = clientClaims({ audience: `https://${host}/client/hubs/${hub.name}` });
        const { status } = await upgrade(
          service.endpoint,
          `/client/hubs/${hub.name}?access_token=${sign(claims, service.key)}`,
        );
        assert.equal(status, inside ? 101 : 401, host);
        const answer = await hub.rest("HEAD", "/users/alice", {
          audience: `https://${host}/api/hubs/${hub.name}/users/alice`,
        });
        assert.equal(answer.status, inside ? 404 : 401, host);
      }
    });
  },
  {
    steady: "each shard has a limit of its own",
    variables: { SHARD_HARD_LIMIT: LIMIT, ACCEPTED_HOSTS: "proxy.example, other.example:8443" },
  },
);
