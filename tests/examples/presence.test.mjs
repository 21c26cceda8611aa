// Who is in the office, between two browsers, one of which is closed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { violationsOn } from "../support/axe.mjs";
import { openPage } from "../support/browser.mjs";
import { describeExample } from "../support/example.mjs";

describeExample("presence", ({ service, example, browser }) => {
  const enter = async (name) => {
    const { page, complaints } = await openPage(browser(), example.url);
    await page.getByLabel("Your name").fill(name);
    await page.getByRole("button", { name: "Come in" }).click();
    await page.getByRole("status").getByText(`Connected as ${name}`, { exact: true }).waitFor();
    return { page, complaints };
  };
  const people = (page, words) => page.getByRole("heading", { name: words, exact: true }).waitFor();
  const row = (page, text) => page.getByRole("list").getByRole("listitem").filter({ hasText: text });

  test("each sees who comes, how they are, and who closes the page", async () => {
    const alice = await enter("Alice");
    await people(alice.page, "1 person is here");
    await row(alice.page, "Alice (you)").filter({ hasText: "available" }).waitFor();
    const bob = await enter("Bob");
    for (const { page } of [alice, bob]) await people(page, "2 people are here");
    await row(bob.page, "Alice").filter({ hasText: "available" }).waitFor();

    await bob.page.getByLabel("Your status").selectOption("busy");
    await row(alice.page, "Bob").filter({ hasText: "busy" }).waitFor();
    assert.deepEqual(await violationsOn(alice.page), []);
    assert.deepEqual(bob.complaints, []);

    await bob.page.close();
    await people(alice.page, "1 person is here");
    assert.equal(await row(alice.page, "Bob").count(), 0);
    assert.deepEqual(alice.complaints, []);
    await alice.page.context().close();
  });

  test("a page that the service closed comes in again", async () => {
    const { page } = await enter("Carol");
    await page.getByLabel("Your status").selectOption("away");
    await row(page, "Carol (you)").filter({ hasText: "away" }).waitFor();
    await service.manage("POST", "sockets/:close");
    const dave = await enter("Dave");
    for (const open of [page, dave.page]) await people(open, "2 people are here");
    await row(dave.page, "Carol").filter({ hasText: "away" }).waitFor();
    for (const open of [page, dave.page]) await open.context().close();
  });

  test("an event that the service did not sign is refused", async () => {
    const headers = {
      "webhook-request-origin": "localhost",
      "ce-awpsversion": "1.0",
      "ce-type": "azure.webpubsub.gp.joined",
      "ce-hub": "presence",
      "ce-connectionid": "c",
      "ce-eventname": "joined",
      "ce-id": "1",
      "ce-signature": `sha256=${"0".repeat(64)}`,
      "content-type": "application/json",
    };
    const url = `${example.url}api/webpubsub/hubs/presence/`;
    const response = await fetch(url, { method: "POST", headers, body: '{"group":"office"}' });
    assert.equal(response.status, 401);
  });
});
