// Events and invocations in the playground, and what its log makes of acknowledgements.
import assert from "node:assert/strict";
import { test } from "node:test";
import { useChromium } from "../support/browser.mjs";
import { AT_ONCE, EventHandler } from "../support/event-handler.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { openPortal } from "../support/portal.mjs";
import { forEachShardCount } from "../support/service.mjs";

forEachShardCount(
  "Events in the playground",
  (service) => {
    const browser = useChromium();

    const connect = async (url) => {
      const opened = await openPortal(browser, service, "playground", { signedIn: false });
      await opened.page.getByText("Paste it", { exact: true }).click();
      await opened.page.getByLabel("Client URL", { exact: true }).fill(url);
      await opened.page.getByRole("button", { name: "Connect", exact: true }).click();
      await opened.page.locator("#state").getByText("Connected", { exact: true }).waitFor();
      return opened;
    };
    const act = async (page, action, name, data) => {
      await page.getByLabel("Action").selectOption(action);
      await page.locator("#send-name").fill(name);
      await page.getByLabel("Data", { exact: true }).fill(data);
      await page.getByRole("button", { name: "Send", exact: true }).click();
    };
    const row = (page, text) => page.getByRole("log").getByRole("listitem").filter({ hasText: text });

    test("an invocation shows its answer, and a failed one why", async (t) => {
      const hub = service.newHub();
      const handler = await EventHandler.start(t);
      handler.answer("user.add", ({ text }) => ({
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ sum: JSON.parse(text).reduce((a, b) => a + b) }),
      }));
      handler.answer("user.fail", { status: 400, body: "no such sum" });
      await hub.useHandler(handler, { userEventPattern: "*" });
      const { page, complaints } = await connect(hub.clientUrl());
      await page.getByLabel("Action").selectOption("Invoke an event");
      await page.locator("#data-type").selectOption("JSON");
      await act(page, "Invoke an event", "add", "[1, 2]");
      await page.locator("#send-says").getByText('Answered: {"sum":3}').waitFor();
      await row(page, "invokeResponse").getByText('{"sum":3}').waitFor();
      await act(page, "Invoke an event", "fail", "[1]");
      await page.getByRole("alert").filter({ hasText: "InternalServerError" }).waitFor();
      await act(page, "Send an event", "add", "[3, 4]");
      await row(page, '{"sum":7}').waitFor();
      assert.deepEqual(complaints, []);
    });

    test("what was chosen for one protocol is not done with another", async () => {
      const { page } = await openPortal(browser, service, "playground", { signedIn: false });
      const action = page.getByLabel("Action");
      await action.selectOption("Invoke an event");
      await page.locator("#send-form").getByText("Event", { exact: true }).waitFor();
      await page.getByLabel("Protocol").selectOption("MQTT 5.0");
      await page.locator("#send-form").getByText("Group", { exact: true }).waitFor();
      assert.equal(await action.inputValue(), "group");
      await page.getByLabel("Protocol").selectOption("JSON");
      await page.locator("#send-form").getByText("Event", { exact: true }).waitFor();
      assert.equal(await action.inputValue(), "invoke");
    });

    test("a message without an ack is sent, and waits for none", async () => {
      const hub = service.newHub();
      const listener = await hub.connect({ groups: ["room"] });
      const { page } = await connect(hub.clientUrl({ roles: ALL_ROLES }));
      await page.getByText("More", { exact: true }).click();
      await page.getByLabel("Without an ack").check();
      await act(page, "Send to a group", "room", "quick");
      assert.equal((await listener.json()).data, "quick");
      await row(page, "quick").click();
      const frame = JSON.parse(await page.getByRole("region", { name: "The frame" }).innerText());
      assert.deepEqual([frame.type, frame.ackId], ["sendToGroup", undefined]);
    });

    test("sequence acks are shown where they are asked for", async () => {
      const hub = service.newHub();
      const { page } = await connect(hub.clientUrl());
      await hub.send("", "numbered");
      await row(page, "numbered").filter({ hasText: "#1" }).waitFor();
      assert.equal(await row(page, "sequenceAck").count(), 0);
      await page.getByLabel("Pings and sequence acks").check();
      await row(page, "sequenceAck").first().waitFor();
    });

    test("what arrives is announced now and then, and not each time", async () => {
      const hub = service.newHub();
      const { page } = await connect(hub.clientUrl());
      await page.evaluate(() => {
        /** @type {string[]} */
        const announced = [];
        Object.assign(globalThis, { announced });
        const status = document.querySelector('.log [role="status"]');
        new MutationObserver(() => announced.push(status.textContent)).observe(status, {
          subtree: true,
          childList: true,
          characterData: true,
        });
      });
      for (let n = 1; n <= 40; n++) await hub.send("", `message ${n}.`);
      await row(page, "message 40.").waitFor();
      await page.getByText(/^\d+ more frames$/).waitFor({ state: "attached" });
      const announced = await page.evaluate(
        () => /** @type {{ announced: string[] }} */ (/** @type {unknown} */ (globalThis)).announced,
      );
      assert.ok(announced.length < 20, `${announced.length} for 40 messages`);
    });

    test("the log is copied as lines of JSON", async () => {
      const hub = service.newHub();
      const { page } = await connect(hub.clientUrl());
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await hub.send("", "apples");
      await row(page, "apples").waitFor();
      await page.getByRole("button", { name: "Copy the frames" }).click();
      await page.getByText("Copied.").waitFor();
      const lines = (await page.evaluate(() => navigator.clipboard.readText())).trim().split("\n");
      assert.ok(lines.map((line) => JSON.parse(line)).some(({ raw }) => raw.includes("apples")));
    });
  },
  { steady: "it is about the browser", shardCounts: [1], variables: AT_ONCE },
);
