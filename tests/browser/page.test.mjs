// The page, used as a person uses it: filled in, clicked, read.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { launchChromium, openPage } from "../support/browser.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { Link } from "../support/link.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { clientClaims, sign } from "../support/token.mjs";

forEachShardCount(
  "The page",
  (service) => {
    let browser;
    before(async () => (browser = await launchChromium()));
    after(() => browser.close());
    afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

    const open = async (options) => {
      const { page, complaints } = await openPage(browser, `${service.endpoint}/`, options);
      page.setDefaultTimeout(60_000);
      return { page, complaints };
    };
    const state = (page, words) => page.getByRole("status").getByText(words, { exact: true }).waitFor();
    const row = (page, text) => page.getByRole("log").getByRole("listitem").filter({ hasText: text });
    const connect = async (page, url, user) => {
      await page.getByLabel("Client URL", { exact: true }).fill(url);
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await state(page, user ? `Connected as ${user}` : "Connected");
    };
    const problem = (page, words) => page.getByRole("alert").filter({ hasText: words }).waitFor();

    test("shows what a server sends, and never takes data for markup", async () => {
      const hub = service.newHub();
      const { page, complaints } = await open();
      await connect(page, hub.clientUrl({ user: "alice" }), "alice");
      await hub.send("", "Hello World");
      await hub.send("/users/alice", '{"order":42}', { type: "application/json" });
      await hub.send("", Buffer.from([0, 255]), { type: "application/octet-stream" });
      await hub.send("", "<img src=x onerror=document.title='owned'>");
      for (const [text, type] of [
        ["Hello World", "text"],
        ['{"order":42}', "json"],
        ["00 ff (2 bytes)", "binary"],
        ["<img src=x", "text"],
      ]) {
        assert.match((await row(page, text).innerText()).replace(/\s+/g, " "), new RegExp(`server ${type} `));
      }
      assert.match(await page.title(), /playground/);
      assert.deepEqual(complaints, []);
    });

    test("makes a client URL locally from a connection string", async () => {
      const hub = service.newHub();
      const { page, complaints } = await open();
      const sent = [];
      page.on("request", (request) =>
        sent.push(request.url(), request.postData() ?? "", JSON.stringify(request.headers())),
      );
      page.on("websocket", (socket) => {
        sent.push(socket.url());
        socket.on("framesent", ({ payload }) => sent.push(String(payload)));
      });
      await page.getByText("Make one", { exact: true }).click();
      await page.getByLabel("Connection string", { exact: true }).fill(service.connectionString);
      await page.getByLabel("Hub").fill(hub.name);
      await page.getByLabel("User").fill("alice");
      await page.getByText("More roles, groups and time").click();
      await page.getByLabel("Groups to begin in").fill("room\nother room");
      await page.getByLabel("Minutes").fill("5");
      await page.getByLabel("Protocol").selectOption("JSON");
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await state(page, "Connected as alice");
      assert.equal(await hub.exists("/users/alice"), true);
      await hub.send("/groups/other%20room", "to the room");
      await row(page, "to the room").filter({ hasText: "in group other room" }).waitFor();
      assert.ok(sent.some((text) => text.includes("access_token=")));
      assert.ok(!sent.some((text) => text.includes(service.key)), "the key was sent");
      assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length), 0);
      assert.deepEqual(complaints, []);
    });

    test("remembers the connection string only where it is asked to", async () => {
      const { page } = await open();
      const remember = page.getByLabel("Remember the connection string");
      const field = page.getByLabel("Connection string", { exact: true });
      await page.getByText("Make one", { exact: true }).click();
      await field.fill(service.connectionString);
      await remember.check();
      await page.reload();
      await page.getByText("Make one", { exact: true }).click();
      assert.equal(await field.inputValue(), service.connectionString);
      assert.equal(await field.getAttribute("type"), "password");
      await page.getByRole("button", { name: "Show" }).click();
      assert.equal(await field.getAttribute("type"), "text");
      await remember.uncheck();
      await page.reload();
      assert.equal(await field.inputValue(), "");
    });

    test("joins a group, sends to it, receives from it and leaves it", async () => {
      const hub = service.newHub();
      const listener = await hub.connect({ groups: ["room"] });
      const { page, complaints } = await open();
      await connect(page, hub.clientUrl({ user: "alice", roles: ALL_ROLES }), "alice");
      await page.locator("#join-form").getByLabel("Group").fill("room");
      await page.getByRole("button", { name: "Join" }).click();
      await page.getByRole("button", { name: "Leave room" }).waitFor();

      const send = async (type, data) => {
        await page.locator("#data-type").selectOption(type);
        await page.getByLabel("Data").fill(data);
        await page.getByRole("button", { name: "Send", exact: true }).click();
      };
      await send("Text", "hi there");
      await row(page, "hi there").filter({ hasText: "in group room" }).filter({ hasText: "from alice" }).waitFor();
      assert.deepEqual(await listener.json(), {
        type: "message",
        from: "group",
        fromUserId: "alice",
        group: "room",
        dataType: "text",
        data: "hi there",
      });
      await page.getByLabel("Not back to me").check();
      await send("JSON", '{"a": [1]}');
      assert.deepEqual((await listener.json()).data, { a: [1] });
      await page.locator("#send-says").getByText("Sent.").waitFor();
      await send("JSON", "{");
      await problem(page, "This is not JSON");

      await page.getByRole("button", { name: "Leave room" }).click();
      await page.getByText("You have joined no group yet.").waitFor();
      await hub.send("/groups/room", "to those who stayed");
      await hub.send("", "to everybody");
      await row(page, "to everybody").waitFor();
      assert.equal(await row(page, "to those who stayed").count(), 0);
      assert.equal(await row(page, '{"a":[1]}').count(), 0);
      assert.deepEqual(complaints, []);
    });

    test("says in words what was refused", async () => {
      const hub = service.newHub();
      const { page } = await open();
      await connect(page, hub.clientUrl());
      await page.locator("#join-form").getByLabel("Group").fill("room");
      await page.getByRole("button", { name: "Join" }).click();
      await problem(page, "Forbidden: The client does not have permission to join group 'room'.");
      await page.getByText("An event", { exact: true }).click();
      await page.locator("#send-form").getByLabel("Event", { exact: true }).fill("chat");
      await page.getByLabel("Data").fill("hi");
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await problem(page, "InternalServerError: Internal server error");
    });

    test("says in words why a URL does not lead to a connection", async () => {
      const hub = service.newHub();
      const { page } = await open();
      const attempt = async (url) => {
        await page.getByLabel("Client URL", { exact: true }).fill(url);
        await page.getByRole("button", { name: "Connect", exact: true }).click();
      };
      for (const [url, words] of [
        ["", "This is no URL"],
        ["hello", "This is no URL"],
        [service.endpoint, "it should begin with ws:// or wss://"],
        [`${hub.url.replace("/client/hubs/", "/somewhere/")}`, "its path should be /client/hubs/"],
        [`${hub.url}?access_token=no`, "access token is malformed"],
        [hub.clientUrl({ minutes: -60 }), "refused"],
        [hub.url, "refused"],
        [hub.clientUrl().replace(/:\d+\//, ":9/"), "reach"],
      ]) {
        await attempt(url);
        await problem(page, words);
        await state(page, "Not connected");
      }
      assert.match(
        await page.locator("#client-url-says").innerText(),
        /Hub hub_\d+ at 127\.0\.0\.1:9, without a user; its token expires in 60 min/,
      );
      await connect(page, hub.clientUrl());
      assert.equal(await page.locator("#connect-problem").innerText(), "");
    });

    test("shows a lost connection and its return, and keeps its groups", async () => {
      const hub = service.newHub();
      const link = await Link.to(service);
      const audience = `${link.endpoint}/client/hubs/${hub.name}`;
      const { page } = await open();
      await connect(
        page,
        `${audience.replace("http", "ws")}?access_token=${sign(clientClaims({ audience, roles: ALL_ROLES }), service.key)}`,
      );
      await page.locator("#join-form").getByLabel("Group").fill("room");
      await page.getByRole("button", { name: "Join" }).click();
      await page.getByRole("button", { name: "Leave room" }).waitFor();
      link.down();
      await row(page, "The link was lost").waitFor();
      await hub.send("/groups/room", "missed");
      link.up();
      await row(page, "The connection is back; nothing was missed.").waitFor();
      await row(page, "missed").getByText("missed", { exact: true }).waitFor();
      await state(page, "Connected");

      assert.equal((await hub.rest("POST", "/:closeConnections")).status, 204);
      await row(page, "Disconnected.").waitFor();
      await state(page, "Connected");
      await hub.send("/groups/room", "welcome back");
      await row(page, "welcome back").waitFor();

      await page.getByRole("button", { name: "Disconnect" }).click();
      await state(page, "Not connected");
      await page.getByText("You have joined no group yet.").waitFor();
      link.close();
    });

    test("can be used without a mouse", async () => {
      const hub = service.newHub();
      const { page } = await open();
      const focusOn = async (id) => {
        for (let presses = 0; presses < 40; presses++) {
          await page.keyboard.press("Tab");
          if ((await page.evaluate(() => document.activeElement.id)) === id) return;
        }
        assert.fail(`no key leads to ${id}`);
      };
      await focusOn("client-url");
      await page.keyboard.insertText(hub.clientUrl({ user: "alice", roles: ALL_ROLES }));
      await page.keyboard.press("Enter");
      await state(page, "Connected as alice");
      await focusOn("join-group");
      await page.keyboard.insertText("room");
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: "Leave room" }).waitFor();
      await focusOn("data");
      await page.keyboard.insertText("typed");
      await page.keyboard.press("Control+Enter");
      await row(page, "typed").waitFor();
      await focusOn("disconnect");
      await page.keyboard.press("Space");
      await state(page, "Not connected");
    });

    test("every control has a name", async () => {
      const { page } = await open();
      await page.getByText("Make one", { exact: true }).click();
      const nameless = await page
        .locator("input, textarea, select, button")
        .evaluateAll((controls) =>
          controls
            .filter((control) => !(control.labels?.length || control.textContent.trim() || control.ariaLabel))
            .map(({ id }) => id),
        );
      assert.deepEqual(nameless, []);
    });

    test("keeps the last 500 messages", async () => {
      const hub = service.newHub();
      const { page } = await open();
      await connect(page, hub.clientUrl({ groups: ["room"] }));
      const sender = await hub.connect({ roles: ALL_ROLES });
      for (let n = 1; n <= 520; n++)
        sender.send({ type: "sendToGroup", group: "room", dataType: "text", data: `message ${n}.` });
      await row(page, "message 520.").waitFor();
      assert.equal(await page.getByRole("log").getByRole("listitem").count(), 500);
      assert.equal(await row(page, "message 20.").count(), 0);
      assert.equal(await row(page, "message 21.").count(), 1);
      await page.getByRole("button", { name: "Clear" }).click();
      await page.getByText("Nothing yet.").waitFor();
    });

    test("fits a telephone, in light and in dark", async () => {
      const hub = service.newHub();
      for (const colorScheme of ["light", "dark"]) {
        const { page } = await open({ viewport: { width: 360, height: 740 }, colorScheme });
        await page.getByText("Make one", { exact: true }).click();
        await page.getByText("Paste it", { exact: true }).click();
        await connect(page, hub.clientUrl({ user: "u".repeat(80), groups: ["g".repeat(200)] }), "u".repeat(80));
        await hub.send(`/groups/${"g".repeat(200)}`, "x".repeat(500));
        await row(page, "xxx").waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
        await page.context().close();
      }
    });

    test("allows scripts of its own only, and wasm", async () => {
      const { page } = await open();
      assert.equal(await page.locator("script:not([src])").count(), 0);
    });
  },
  { steady: "it is about the browser" },
);
