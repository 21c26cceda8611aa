// The rooms in React, between two browsers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { violationsOn } from "../support/axe.mjs";
import { openPage } from "../support/browser.mjs";
import { describeExample } from "../support/example.mjs";
import { until } from "../support/waiting.mjs";
import { Hub } from "../support/hub.mjs";

describeExample("react", ({ service, example, browser }) => {
  const hub = new Hub(service, "react");
  const enter = async (name) => {
    const { page, complaints } = await openPage(browser(), example.url);
    await page.getByLabel("Your name").fill(name);
    await page.getByRole("button", { name: "Enter" }).click();
    await page.getByRole("status").getByText(`Connected as ${name}`, { exact: true }).waitFor();
    // Who is in the room is sent what others say there.
    await page.getByRole("button", { name: "Send", disabled: false }).waitFor();
    return { page, complaints };
  };
  const say = async (page, text) => {
    await page.getByLabel("Message", { exact: true }).fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  };
  const line = (page, text) => page.getByRole("log").getByRole("listitem").filter({ hasText: text });

  test("a room's people read each other, and those of others do not", async () => {
    const alice = await enter("Alice");
    const bob = await enter("Bob");
    await say(alice.page, "In the kitchen");
    await line(bob.page, "In the kitchen").filter({ hasText: "Alice" }).waitFor();

    await bob.page.getByLabel("Room").selectOption("garden");
    await until(() => hub.exists("/groups/rooms-garden"), "the member of the garden");
    await say(bob.page, "<b>In the garden</b>");
    await line(bob.page, "<b>In the garden</b>").waitFor();
    await say(alice.page, "Alone");
    await line(alice.page, "Alone").waitFor();
    assert.equal(await line(alice.page, "In the garden").count(), 0);
    assert.equal(await line(bob.page, "Alone").count(), 0);

    for (const { page, complaints } of [alice, bob]) {
      assert.deepEqual(await violationsOn(page), []);
      assert.deepEqual(complaints, []);
    }
    await bob.page.getByRole("button", { name: "Leave" }).click();
    await bob.page.getByLabel("Your name").waitFor();
    for (const { page } of [alice, bob]) await page.context().close();
  });
});
