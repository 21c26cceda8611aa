// The playground, used as a person uses it: filled in, clicked, read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { useChromium } from "../support/browser.mjs";
import { present } from "../support/found.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { Link } from "../support/link.mjs";
import { checkAccess, openPortal, overflow } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { clientClaims, sign } from "../support/token.mjs";

forEachShardCount(
  "The playground",
  (service) => {
    const browser = useChromium();

    const open = (options = {}) => openPortal(browser, service, "playground", { signedIn: false, ...options });
    const state = (page, words) => page.locator("#state").getByText(words, { exact: true }).waitFor();
    const row = (page, text) => page.getByRole("log").getByRole("listitem").filter({ hasText: text });
    const received = (page, text) => row(page, text).filter({ has: page.locator('[data-direction="in"]') });
    const connect = async (page, url, { user = "", protocol = "JSON, reliable" } = {}) => {
      await page.getByText("Paste it", { exact: true }).click();
      await page.getByLabel("Client URL", { exact: true }).fill(url);
      await page.getByLabel("Protocol").selectOption(protocol);
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await state(page, user ? `Connected as ${user}` : "Connected");
    };
    const problem = (page, words) => page.getByRole("alert").filter({ hasText: words }).waitFor();
    /** @type {(page: import("playwright-core").Page, action: string, how?: { name?: string, type?: string, data?: string }) => Promise<void>} */
    const act = async (page, action, { name = "", type = "Text", data } = {}) => {
      await page.getByLabel("Action").selectOption(action);
      await page.locator("#send-name").fill(name);
      if (data !== undefined) {
        await page.locator("#data-type").selectOption(type);
        await page.getByLabel("Data", { exact: true }).fill(data);
      }
      await page.getByRole("button", { name: "Send", exact: true }).click();
    };
    const said = (page, words) => page.locator("#send-says").getByText(words).waitFor();

    test("shows what a server sends, and never takes data for markup", async () => {
      const hub = service.newHub();
      const { page, complaints } = await open();
      await connect(page, hub.clientUrl({ user: "alice" }), { user: "alice" });
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
        await row(page, text).waitFor();
        assert.match((await row(page, text).innerText()).replace(/\s+/g, " "), new RegExp(`server ${type} `));
      }
      assert.match(await page.title(), /Playground/);
      assert.deepEqual(complaints, []);
    });

    for (const protocol of ["JSON, reliable", "JSON", "Protobuf, reliable", "Protobuf"]) {
      test(`a group is joined, sent to and left in ${protocol}`, async () => {
        const hub = service.newHub();
        const listener = await hub.connect({ groups: ["room"] });
        const { page, complaints } = await open();
        await connect(page, hub.clientUrl({ user: "alice", roles: ALL_ROLES }), { user: "alice", protocol });
        await act(page, "Join a group", { name: "room" });
        await page.getByRole("button", { name: "Leave room" }).waitFor();

        await act(page, "Send to a group", { name: "room", data: "hi there" });
        const arrived = received(page, "hi there").filter({ hasText: "in group room" });
        // Protobuf messages do not say who sent them.
        await (protocol.startsWith("JSON") ? arrived.filter({ hasText: "from alice" }) : arrived).waitFor();
        assert.deepEqual(await listener.json(), {
          type: "message",
          from: "group",
          fromUserId: "alice",
          group: "room",
          dataType: "text",
          data: "hi there",
        });
        await page.getByText("More", { exact: true }).click();
        await page.getByLabel("Not back to me").check();
        await act(page, "Send to a group", { name: "room", type: "JSON", data: '{"a": [1]}' });
        assert.deepEqual((await listener.json()).data, { a: [1] });
        await said(page, "Sent.");
        await act(page, "Send to a group", { name: "room", type: "Binary, in hexadecimal", data: "00 ff" });
        assert.equal((await listener.json()).data, "AP8=");
        await act(page, "Send to a group", { name: "room", type: "JSON", data: "{" });
        await problem(page, "This is not JSON");

        await page.getByRole("button", { name: "Leave room" }).click();
        await page.getByText("You have joined no group yet.").waitFor();
        await hub.send("/groups/room", "to those who stayed");
        await hub.send("", "to everybody");
        await row(page, "to everybody").waitFor();
        assert.equal(await row(page, "to those who stayed").count(), 0);
        assert.deepEqual(complaints, []);
      });
    }

    test("a client of MQTT subscribes, publishes and unsubscribes", async () => {
      const hub = service.newHub();
      const listener = await hub.connect({ groups: ["room"] });
      const { page, complaints } = await open();
      await page.getByText("Paste it", { exact: true }).click();
      await page.getByLabel("Client URL", { exact: true }).fill(hub.mqttUrl({ roles: ALL_ROLES }));
      await page.getByRole("button", { name: "Connect", exact: true }).click();
      await problem(page, "This client URL is for MQTT: choose its protocol.");
      await connect(page, hub.mqttUrl({ roles: ALL_ROLES }), { protocol: "MQTT 5.0" });
      await act(page, "Join a group", { name: "room" });
      await said(page, "Subscribed to room.");
      await act(page, "Send to a group", { name: "room", type: "JSON", data: '{"a":[1]}' });
      await received(page, '{"a":[1]}').waitFor();
      const { dataType, data } = await listener.json();
      assert.deepEqual([dataType, data], ["json", { a: [1] }]);
      await hub.send("", "to all");
      await received(page, "to all").waitFor();
      await act(page, "Join a group", { name: "room/#" });
      await problem(page, "wildcards are not supported");
      await page.getByRole("button", { name: "Leave room" }).click();
      await page.getByText("You have joined no group yet.").waitFor();
      await page.getByRole("button", { name: "Disconnect" }).click();
      await state(page, "Not connected");
      assert.deepEqual(complaints, []);
    });

    test("a bare client sends frames and receives payloads", async () => {
      const hub = service.newHub();
      const { page } = await open({ signedIn: true });
      await connect(page, hub.clientUrl(), { protocol: "Bare WebSocket" });
      await hub.send("", "Hello World");
      await row(page, "Hello World").waitFor();
      await page.getByLabel("Data", { exact: true }).fill("hi");
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await row(page, "Disconnected.").waitFor();
      await state(page, "Not connected");
      await page
        .getByText(`The hub ${hub.name} has no event handler, so no server takes the event "message".`)
        .waitFor();
    });

    test("metadata, a time to live and an ack id go with a message", async () => {
      const hub = service.newHub();
      const listener = await hub.connect({ groups: ["room"] });
      const { page } = await open();
      await connect(page, hub.clientUrl({ roles: ALL_ROLES }));
      await page.getByText("More", { exact: true }).click();
      await page.getByLabel("Ack id").fill("77");
      await page.getByLabel("Seconds to live").fill("30");
      await page.getByLabel("Metadata").fill("trace: abc");
      await act(page, "Send to a group", { name: "room", data: "hi" });
      assert.deepEqual((await listener.json()).metadata, { trace: "abc" });
      await row(page, "hi").filter({ hasText: "ack 77" }).click();
      const frame = JSON.parse(await page.getByRole("region", { name: "The frame" }).innerText());
      assert.deepEqual([frame.ackId, frame.ttlSeconds, frame.metadata], [77, 30, { trace: "abc" }]);
      await page.getByRole("button", { name: "Same ack id again" }).click();
      await said(page, "The service had done ack id 77 before, and did nothing.");
      await page.getByLabel("Metadata").fill("wrong");
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await problem(page, "Metadata are lines of a name");
    });

    test("a stream goes piece by piece", async () => {
      const hub = service.newHub();
      const { page, complaints } = await open();
      await connect(page, hub.clientUrl({ roles: ALL_ROLES, groups: ["room"] }));
      await act(page, "Stream to a group", { name: "room", data: "one\ntwo\nthree" });
      await said(page, "Sent a stream of 3 pieces.");
      await row(page, "has ended, with 3 pieces.").waitFor();
      assert.deepEqual(complaints, []);
    });

    test("says in words what was refused, and that no handler takes it", async () => {
      const hub = service.newHub();
      const { page } = await open({ signedIn: true });
      await connect(page, hub.clientUrl());
      await act(page, "Join a group", { name: "room" });
      await problem(page, "Forbidden: The client does not have permission to join group 'room'.");
      await act(page, "Send an event", { name: "chat", data: "hi" });
      await problem(page, "InternalServerError: Internal server error");
      await page.getByText(`The hub ${hub.name} has no event handler, so no server takes the event "chat".`).waitFor();
    });

    test("says in words why a URL does not lead to a connection", async () => {
      const hub = service.newHub();
      const { page } = await open();
      await page.getByText("Paste it", { exact: true }).click();
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
      assert.equal(await page.getByRole("alert").filter({ hasText: "reach" }).count(), 0);
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
      await act(page, "Join a group", { name: "room" });
      await page.getByRole("button", { name: "Leave room" }).waitFor();
      link.down();
      await row(page, "The link was lost").waitFor();
      await hub.send("/groups/room", "missed");
      link.up();
      await row(page, "The connection is back; nothing was missed.").waitFor();
      await row(page, "in group room").getByText("missed", { exact: true }).waitFor();
      await state(page, "Connected");

      assert.equal((await hub.rest("POST", "/:closeConnections")).status, 204);
      await row(page, "Disconnected.").waitFor();
      await state(page, "Connected");
      await hub.send("/groups/room", "welcome back");
      await row(page, "welcome back").waitFor();

      await page.getByRole("button", { name: "Disconnect", exact: true }).click();
      await state(page, "Not connected");
      link.close();
    });

    test("a dropped network loses nothing of a reliable client", async () => {
      const hub = service.newHub();
      const { page } = await open();
      await connect(page, hub.clientUrl());
      await hub.send("", "before");
      await row(page, "before").waitFor();
      await page.getByRole("button", { name: "Drop the network" }).click();
      await row(page, "The link was lost").waitFor();
      for (let n = 1; n <= 3; n++) await hub.send("", `while away ${n}`);
      await page.getByRole("button", { name: "Restore the network" }).click();
      await row(page, "The connection is back; nothing was missed.").waitFor();
      // It is back before it has been sent what it missed.
      await row(page, "while away 3").waitFor();
      for (let n = 1; n <= 3; n++) assert.equal(await row(page, `while away ${n}`).count(), 1);
    });

    test("a recovery that comes too late makes a new connection", async () => {
      const hub = service.newHub();
      const { page } = await open();
      await connect(page, hub.clientUrl());
      await page.getByRole("button", { name: "Let recovery expire" }).click();
      await row(page, "The link was lost").waitFor();
      await hub.send("", "missed");
      // The client tries for half a minute.
      await row(page, "Disconnected.").waitFor({ timeout: 90_000 });
      await state(page, "Connected");
      await hub.send("", "after");
      await row(page, "after").waitFor();
      assert.equal(await row(page, "missed").count(), 0);
    });

    test("clients are in tabs of their own", async () => {
      const hub = service.newHub();
      const { page } = await open();
      await connect(page, hub.clientUrl({ user: "alice" }), { user: "alice" });
      await page.getByRole("button", { name: "New client" }).click();
      await connect(page, hub.clientUrl({ user: "bob" }), { protocol: "Bare WebSocket" });
      await hub.send("/users/alice", "for alice");
      await hub.send("/users/bob", "for bob");
      await row(page, "for bob").waitFor();
      assert.equal(await row(page, "for alice").count(), 0);
      await page.getByRole("tab", { name: "Client 2" }).focus();
      await page.keyboard.press("ArrowLeft");
      await row(page, "for alice").waitFor();
      assert.equal(await row(page, "for bob").count(), 0);
      await page.getByRole("button", { name: /^Close Client 1/ }).click();
      await row(page, "for bob").waitFor();
      assert.equal(await page.getByRole("tab").count(), 1);
    });

    test("the log is filtered, paused, opened, downloaded and cleared", async () => {
      const hub = service.newHub();
      const { page } = await open();
      await connect(page, hub.clientUrl());
      await hub.send("", "apples");
      await hub.send("", "pears");
      await row(page, "pears").waitFor();
      await page.getByLabel("Filter").fill("apple");
      await row(page, "pears").waitFor({ state: "detached" });
      assert.equal(await row(page, "apples").count(), 1);
      await page.getByLabel("Filter").fill("");
      await page.getByRole("button", { name: "Pause" }).click();
      await hub.send("", "plums");
      await page.getByText(/paused, [1-9]\d* since/).waitFor();
      assert.equal(await row(page, "plums").count(), 0);
      await page.getByRole("button", { name: "Resume" }).click();
      await row(page, "plums").waitFor();
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Download" }).click(),
      ]);
      const chunks = [];
      for await (const chunk of await file.createReadStream()) chunks.push(chunk);
      const lines = Buffer.concat(chunks).toString().trim().split("\n");
      assert.ok(
        lines.map((line) => JSON.parse(line)).some(({ direction, raw }) => direction === "in" && raw.includes("plums")),
      );
      await page.getByRole("button", { name: "Clear" }).click();
      await page.getByText("Nothing yet.").waitFor();
    });

    test("10,000 frames leave the page quick, and the last are kept", async () => {
      const hub = service.newHub();
      const { page } = await open();
      await connect(page, hub.clientUrl({ groups: ["room"] }), { protocol: "JSON" });
      const sender = await hub.connect({ roles: ALL_ROLES });
      for (let n = 1; n <= 10_100; n++)
        sender.send({ type: "sendToGroup", group: "room", dataType: "text", data: `message ${n}.` });
      await row(page, "message 10100.").waitFor({ timeout: 60_000 });
      await page.getByText("the last 10,000").waitFor();
      // Only what is in sight is on the page.
      assert.ok((await page.getByRole("log").getByRole("listitem").count()) < 100);
      await page.getByLabel("Filter").fill("message 101.");
      await row(page, "message 101.").waitFor();
      await page.getByLabel("Filter").fill("message 100.");
      await page.getByText("No frame matches.").waitFor();
      await page.getByRole("button", { name: "Clear" }).click();
      await page.getByText("Nothing yet.").waitFor();
    });

    test("rows are reached by the arrow keys", async () => {
      const hub = service.newHub();
      const { page } = await open();
      await connect(page, hub.clientUrl());
      for (let n = 1; n <= 60; n++) await hub.send("", `message ${n}.`);
      await row(page, "message 60.").waitFor();
      await page.getByRole("log").focus();
      await page.keyboard.press("ArrowDown");
      await page.waitForFunction(() => document.activeElement.textContent.includes("message 60."));
      for (let n = 1; n < 60; n++) await page.keyboard.press("ArrowDown");
      await page.waitForFunction(() => document.activeElement.textContent.includes("message 1."));
      await page.keyboard.press("Enter");
      await page.getByRole("region", { name: "The frame" }).getByText("message 1.").waitFor();
    });

    test("can be used without a mouse", async () => {
      const hub = service.newHub();
      const { page } = await open();
      const focusOn = async (id) => {
        for (let presses = 0; presses < 60; presses++) {
          await page.keyboard.press("Tab");
          if ((await page.evaluate(() => document.activeElement.id)) === id) return;
        }
        assert.fail(`no key leads to ${id}`);
      };
      await focusOn("client-url");
      await page.keyboard.insertText(hub.clientUrl({ user: "alice", roles: ALL_ROLES, groups: ["room"] }));
      await page.keyboard.press("Enter");
      await state(page, "Connected as alice");
      await focusOn("send-name");
      await page.keyboard.insertText("room");
      await focusOn("data");
      await page.keyboard.insertText("typed");
      await page.keyboard.press("Control+Enter");
      await received(page, "in group room").getByText("typed", { exact: true }).waitFor();
      await focusOn("disconnect");
      await page.keyboard.press("Space");
      await state(page, "Not connected");
    });

    test("fits a telephone with its messages in sight", async () => {
      const hub = service.newHub();
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        const { page } = await open({ viewport: { width: 320, height: 640 }, colorScheme });
        await connect(page, hub.clientUrl({ user: "u".repeat(80), groups: ["g".repeat(200)] }), {
          user: "u".repeat(80),
        });
        await hub.send(`/groups/${"g".repeat(200)}`, "x".repeat(500));
        await row(page, "xxx").waitFor();
        assert.equal(await overflow(page), 0);
        const { y } = present(await page.getByRole("log").boundingBox(), "the log");
        assert.ok(y < 1000, `the messages begin at ${y} px`);
        await checkAccess(page, colorScheme);
        await page.context().close();
      }
    });
  },
  { steady: "it is about the browser", shardCounts: [1] },
);
