// Callers whom no access key allows anything: what they ask for leaves nothing behind, whatever they name.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Hub } from "../../support/hub.mjs";
import { residentBytes } from "../../support/memory.mjs";
import { request, upgrade } from "../../support/rest.mjs";
import { Service } from "../../support/service.mjs";
import { clientClaims, sign } from "../../support/token.mjs";

const CALLERS = 3_000;
const AT_ONCE = 32;

describe("Strangers", () => {
  const settings = { hubs: { open: { anonymousConnectPolicy: "allow" } } };
  const service = new Service({ settings });
  before(() => service.start());
  after(() => service.stop());

  /** How many databases there are: each object that was ever asked for anything has one. */
  const files = () =>
    readdirSync(service.state, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".sqlite")).length;
  const memory = () => residentBytes(service.pid);

  /** Calls `each(n)` so often, some at once. */
  async function many(count, each) {
    let next = 0;
    const queue = Array.from({ length: AT_ONCE }, async () => {
      while (next < count) await each(next++);
    });
    await Promise.all(queue);
  }

  /** How the state folder and the process grow by calls, each for a hub of its own. */
  async function growth(count, each) {
    const was = [files(), memory()];
    await many(count, each);
    return [files() - was[0], memory() - was[1]];
  }

  const knock = (path, headers) => upgrade(service.endpoint, path, headers);
  const foreign = (audience) => sign(clientClaims({ audience }), "a key that is none of the service's two");

  const calls = {
    "no token": async (hub) => assert.equal((await knock(`/client/hubs/${hub}`)).status, 401),
    "no token at the legacy URL": async (hub) => assert.equal((await knock(`/client/?hub=${hub}`)).status, 401),
    "a foreign token": async (hub) => {
      const path = `/client/hubs/${hub}`;
      assert.equal((await knock(`${path}?access_token=${foreign(service.endpoint + path)}`)).status, 401);
    },
    "an expired token": async (hub) => {
      const token = new Hub(service, hub).token({ minutes: -60 });
      assert.equal((await knock(`/client/hubs/${hub}`, { authorization: `Bearer ${token}` })).status, 401);
    },
    "a recovery without a right token": async (hub) => {
      const id = Buffer.from(`\u0001\u0000\u0000${hub.padEnd(16, "x")}`).toString("base64url");
      assert.equal(
        (await knock(`/client/hubs/${hub}?awps_connection_id=${id}&awps_reconnection_token=${foreign(id)}`)).status,
        101,
      );
    },
    "a REST call": async (hub) => {
      assert.equal(
        (await request(service.endpoint, "POST", `/api/hubs/${hub}/:send?api-version=2024-12-01`, { body: "x" }))
          .status,
        401,
      );
      assert.equal(
        (await request(service.endpoint, "HEAD", `/api/hubs/${hub}/users/u?api-version=2024-12-01`)).status,
        401,
      );
    },
    "an operator's call": async (hub) => {
      for (const method of ["GET", "PUT", "DELETE"])
        assert.equal((await service.manage(method, `hubs/${hub}`, { token: "rubbish" })).status, 401);
    },
  };

  test("with a token of the key, each caller's hub is made", async () => {
    const [made] = await growth(20, (n) => new Hub(service, `mine_${n}`).exists("/users/u"));
    assert.ok(made >= 20, `${made} files`);
  });

  test("leave no file, no hub, and a tenth of the memory of others", async (t) => {
    const each = (prefix) => {
      const kinds = Object.values(calls);
      return (n) => kinds[n % kinds.length](`${prefix}_${n}`);
    };
    await many(CALLERS, each("warm"));
    const [made, grown] = await growth(CALLERS, each("stranger"));
    const hubs = (await service.manage("GET", "hubs")).body;
    const ours = 300;
    const [, used] = await growth(ours, (n) => new Hub(service, `ours_${n}`).exists("/users/u"));
    t.diagnostic(`${CALLERS} strangers: ${grown} KiB; ${ours} hubs in use: ${used} KiB`);
    assert.equal(made, 0);
    assert.doesNotMatch(hubs, /stranger|warm/);
    assert.ok(grown / CALLERS < used / ours / 10, `${grown} KiB for ${CALLERS}, ${used} KiB for ${ours}`);
  });

  for (const [kind, call] of Object.entries(calls)) {
    test(`no file is made for ${kind}`, async () => {
      const name = `of_${kind.replace(/\W/g, "_")}`;
      assert.deepEqual((await growth(1, () => call(name)))[0], 0);
    });
  }

  test("come into a hub that the settings open, and into no other", async () => {
    assert.equal((await knock("/client/hubs/open")).status, 101);
    assert.equal((await knock("/client/hubs/OPEN")).status, 101);
    assert.equal((await knock("/client/hubs/opened")).status, 401);
  });

  test("come into a hub while an operator has it open", async () => {
    const hub = service.newHub();
    const { pathname } = new URL(hub.audience);
    assert.equal((await knock(pathname)).status, 401);
    await hub.configure({ anonymousConnectPolicy: "allow" });
    assert.equal((await knock(pathname)).status, 101);
    await hub.configure({ anonymousConnectPolicy: "deny" });
    assert.equal((await knock(pathname)).status, 401);
  });

  test("are refused where an operator closes what the variables open", async () => {
    const open = new Hub(service, "open");
    await open.configure({ anonymousConnectPolicy: "deny" });
    assert.equal((await knock("/client/hubs/open")).status, 401);
  });
});
