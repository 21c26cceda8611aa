// Notifications that Python sends, and a page shows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { violationsOn } from "../support/axe.mjs";
import { openPage } from "../support/browser.mjs";
import { describeExample } from "../support/example.mjs";
import { root } from "../support/service.mjs";

describeExample("notifications", ({ example, browser }) => {
  const open = async (user) => {
    const { page, complaints } = await openPage(browser(), `${example.url}?user=${user}`);
    await page.getByRole("status").getByText(`Connected as ${user}`, { exact: true }).waitFor();
    return { page, complaints };
  };
  const row = (page, text) => page.getByRole("log").getByRole("listitem").filter({ hasText: text });

  test("what Python sends to all and to a user is on their pages", async () => {
    const alice = await open("alice");
    const bob = await open("bob");
    await example.type('npm run example -- notifications notify "Lunch is ready"').done();
    for (const { page } of [alice, bob]) await row(page, "Lunch is ready").waitFor();
    await example.type('npm run example -- notifications notify "Your parcel is here" alice').done();
    await row(alice.page, "Your parcel is here").waitFor();
    assert.equal(await row(bob.page, "Your parcel is here").count(), 0);
    for (const { page, complaints } of [alice, bob]) {
      assert.deepEqual(await violationsOn(page), []);
      assert.deepEqual(complaints, []);
      await page.context().close();
    }
  });

  test("without a user there is no URL", async () => {
    assert.equal((await fetch(`${example.url}negotiate`)).status, 401);
  });

  test("it has the SDK that the tests have", () => {
    const pins = (file) => readFileSync(`${root}/${file}`, "utf8").split("\n").filter(Boolean);
    for (const pin of pins("examples/notifications/requirements.txt"))
      assert.ok(pins("tests/requirements.txt").includes(pin), pin);
  });
});
