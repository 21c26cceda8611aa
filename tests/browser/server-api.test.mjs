// The explorer of the REST API: every operation of the served document is there, and can be called.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { useChromium } from "../support/browser.mjs";
import { present } from "../support/found.mjs";
import { checkAccess, openPortal, overflow } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";

forEachShardCount(
  "The Server API page",
  (service) => {
    const browser = useChromium();

    const open = (options) => openPortal(browser, service, "server-api", options);
    const choose = (page, id) => page.getByLabel("Operation", { exact: true }).selectOption(id);
    const send = async (page, status) => {
      await page.getByRole("button", { name: "Send the request" }).click();
      await page.getByRole("status").locator(".badge").getByText(String(status), { exact: true }).waitFor();
    };
    /** Fills in what an operation needs. */
    const fill = async (page, values) => {
      for (const [name, value] of Object.entries(values)) {
        const control = page.locator(`#parameter-${name}`);
        if ((await control.count()) === 0) continue;
        if ((await control.evaluate(({ tagName }) => tagName)) === "SELECT") await control.selectOption(value);
        else await control.fill(value);
      }
    };

    test("every operation can be called", async () => {
      const hub = service.newHub();
      const client = await hub.connect({ user: "alice", groups: ["room"] });
      const { page } = await open();
      page.on("dialog", (dialog) => dialog.accept());
      /** @typedef {Record<string, Record<string, { operationId: string }>>} Paths */
      const document = /** @type {{ paths: Paths }} */ (
        await (await fetch(`${service.endpoint}/api/openapi.json`)).json()
      );
      const called = (/** @type {[string, object]} */ [path]) =>
        !path.endsWith("/trace") && path !== "/management/session";
      /** @type {Paths} */
      const paths = Object.fromEntries(Object.entries(document.paths).filter(called));
      const pathOf = (id) =>
        Object.keys(paths).find((path) => Object.values(paths[path]).some(({ operationId }) => operationId === id));
      const ids = Object.values(paths).flatMap((methods) =>
        Object.values(methods).map(({ operationId }) => operationId),
      );
      await page.getByRole("heading", { name: "Call an operation" }).waitFor();
      const offered = await page
        .getByLabel("Operation", { exact: true })
        .locator("option")
        .evaluateAll((options) => options.map(({ value }) => value));
      assert.deepEqual([...offered].sort(), [...ids].sort());
      const values = {
        hub: hub.name,
        group: "room",
        userId: "alice",
        connectionId: client.id,
        permission: "sendToGroup",
        targetName: "room",
        index: "0",
      };
      // Closing comes last, and what was closed is not there.
      // New keys would be those of all tests here.
      const safe = ids.filter((id) => !/^Management_(Rotate|Regenerate)/.test(id));
      for (const id of safe.sort((a, b) => Number(a.includes("Close")) - Number(b.includes("Close")))) {
        await choose(page, id);
        await page
          .locator("form .note code")
          .getByText(present(pathOf(id), id), { exact: true })
          .waitFor();
        await fill(page, values);
        await page.getByRole("button", { name: "Send the request" }).click();
        const status = page.getByRole("status").locator(".badge");
        await status.waitFor();
        // There is no event handler to test.
        const allowed = id === "Management_TestEventHandler" ? [400, 404] : [200, 202, 204, 404];
        assert.ok(allowed.includes(Number(await status.innerText())), `${id}: ${await status.innerText()}`);
      }
    });

    test("a message is sent with its type, and its filter holds", async () => {
      const hub = service.newHub();
      const [alice, bob] = [await hub.connect({ user: "alice" }), await hub.connect({ user: "bob" })];
      const { page, complaints } = await open();
      await choose(page, "WebPubSub_SendToAll");
      await fill(page, { hub: hub.name, filter: "userId eq 'alice'" });
      await page.getByLabel("Body").fill("for alice");
      await send(page, 202);
      assert.equal((await alice.json()).data, "for alice");
      await fill(page, { filter: "" });
      await page.getByLabel("Content type").selectOption("application/json");
      await page.getByLabel("Body").fill('{"for":"all"}');
      await send(page, 202);
      assert.deepEqual((await bob.json()).data, { for: "all" });
      await page.getByLabel("Content type").selectOption("application/octet-stream");
      await page.getByLabel("Body").fill("00 ff");
      await send(page, 202);
      assert.equal((await bob.json()).data, "AP8=");
      assert.deepEqual(complaints, []);
    });

    test("what is wrong is said by the service, or before it is asked", async () => {
      const hub = service.newHub();
      const { page } = await open();
      await choose(page, "WebPubSub_SendToGroup");
      await fill(page, { hub: hub.name, group: "" });
      await page.getByRole("button", { name: "Send the request" }).click();
      await page.getByRole("alert").filter({ hasText: "group is needed." }).waitFor();
      await fill(page, { group: "room", filter: "nonsense" });
      await send(page, 400);
      await page.getByRole("region", { name: "The answer's body" }).getByText("filter").first().waitFor();
    });

    test("what cannot be undone is asked about first", async () => {
      const hub = service.newHub();
      await hub.connect({ user: "alice" });
      const { page } = await open();
      await choose(page, "WebPubSub_CloseUserConnections");
      await fill(page, { hub: hub.name, userId: "alice" });
      const asked = new Promise((resolve) =>
        page.once("dialog", (dialog) => {
          resolve(dialog.message());
          void dialog.dismiss();
        }),
      );
      await page.getByRole("button", { name: "Send the request" }).click();
      assert.match(await asked, /^POST .*\/users\/alice\/:closeConnections cannot be undone/);
      assert.equal(await hub.exists("/users/alice"), true);
      page.once("dialog", (dialog) => dialog.accept());
      await send(page, 204);
      assert.equal(await hub.exists("/users/alice"), false);
    });

    test("the same call stands there as a program", async () => {
      const hub = service.newHub();
      const client = await hub.connect({ user: "alice", groups: ["a room's"] });
      const { page } = await open();
      await choose(page, "WebPubSub_SendToGroup");
      await fill(page, { hub: hub.name, group: "a room's", messageTtlSeconds: "5" });
      await page.getByLabel("Body").fill("it's here");
      await page.getByRole("region", { name: "The call with curl" }).getByText("s here").waitFor();
      const curl = await page.getByRole("region", { name: "The call with curl" }).innerText();
      await page.getByRole("tab", { name: "JavaScript" }).click();
      const script = await page.getByRole("region", { name: "The call with JavaScript" }).innerText();
      await run(
        process.execPath,
        [
          "--input-type=module",
          "--eval",
          script.replace(
            /(\(process\.env\.WebPubSubConnectionString, "[^"]*")\)/,
            "$1, { allowInsecureConnection: true })",
          ),
        ],
        {
          WebPubSubConnectionString: service.connectionString,
        },
      );
      assert.equal((await client.json()).data, "it's here");
      await page.getByRole("tab", { name: "Python" }).click();
      const program = await page.getByRole("region", { name: "The call with Python" }).innerText();
      assert.match(
        program,
        /service\.send_to_group\("a room's", "it's here", content_type="text\/plain", message_ttl_seconds=5\)/,
      );
      assert.ok(curl.includes("'it'\\''s here'") && curl.includes("messageTtlSeconds=5"), curl);
      assert.ok(!curl.includes(service.key) && !script.includes(service.key));
    });

    test("it keeps no one out and fits 320 px", async () => {
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        const { page } = await open({ colorScheme, viewport: { width: 320, height: 640 } });
        await send(page, 202);
        assert.equal(await overflow(page), 0);
        await checkAccess(page, colorScheme);
        await page.setViewportSize({ width: 1280, height: 800 });
        await checkAccess(page, colorScheme);
        await page.context().close();
      }
    });
  },
  { steady: "it is about the browser", shardCounts: [1] },
);

function run(command, args, env) {
  return new Promise((resolve, reject) =>
    execFile(command, args, { env: { ...process.env, ...env } }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    ),
  );
}
