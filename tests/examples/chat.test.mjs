// The chat in plain JavaScript, between two browsers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { violationsOn } from "../support/axe.mjs";
import { openPage } from "../support/browser.mjs";
import { describeExample } from "../support/example.mjs";

describeExample("chat", ({ service, example, browser }) => {
  const enter = async (name) => {
    const { page, complaints } = await openPage(browser(), example.url);
    await page.getByLabel("Your name").fill(name);
    await page.getByRole("button", { name: "Enter" }).click();
    await page.getByRole("status").getByText(`Connected as ${name}`, { exact: true }).waitFor();
    // Who is in the group, and is sent what others write, may begin to write.
    await page.getByLabel("Message", { exact: true }).and(page.locator(":focus")).waitFor();
    return { page, complaints };
  };
  const say = async (page, text) => {
    await page.getByLabel("Message", { exact: true }).fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  };
  const line = (page, text) => page.getByRole("log").getByRole("listitem").filter({ hasText: text });

  test("two people chat, and what they write is never markup", async () => {
    const alice = await enter("Alice");
    const bob = await enter("Bob");
    await say(alice.page, "Hello, Bob!");
    await line(bob.page, "Hello, Bob!").filter({ hasText: "Alice" }).waitFor();
    await say(bob.page, "<img src=x onerror=document.title='owned'>");
    for (const { page } of [alice, bob]) {
      await line(page, "<img src=x").filter({ hasText: "Bob" }).waitFor();
      assert.equal(await page.locator("img").count(), 0);
      assert.deepEqual(await violationsOn(page), []);
    }
    for (const { page, complaints } of [alice, bob]) {
      assert.deepEqual(complaints, []);
      await page.context().close();
    }
  });

  test("a page that the service closed comes back and chats on", async () => {
    const { page } = await enter("Carol");
    await service.manage("POST", "sockets/:close");
    const other = await enter("Dave");
    await say(other.page, "Still there?");
    await line(page, "Still there?").waitFor();
    await page.getByRole("status").getByText("Connected as Carol", { exact: true }).waitFor();
    for (const open of [page, other.page]) await open.context().close();
  });

  test("without a name there is no URL", async () => {
    const response = await fetch(`${example.url}negotiate?name=%20`);
    assert.equal(response.status, 401);
  });
});
