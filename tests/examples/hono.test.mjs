// An event handler with Hono, in workerd, and the page that sends it events.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { violationsOn } from "../support/axe.mjs";
import { openPage } from "../support/browser.mjs";
import { describeExample } from "../support/example.mjs";

describeExample("hono", ({ service, example, browser }) => {
  /** An event of a user as the service sends it; `key` signs it. */
  const post = (key, body) =>
    fetch(`${example.url}api/webpubsub/hubs/guess/`, {
      method: "POST",
      headers: {
        "webhook-request-origin": "localhost",
        "ce-awpsversion": "1.0",
        "ce-type": "azure.webpubsub.user.guess",
        "ce-hub": "guess",
        "ce-connectionid": "c",
        "ce-eventname": "guess",
        "ce-id": "1",
        "ce-signature": `sha256=${createHmac("sha256", key).update("c").digest("hex")}`,
        "ce-connectionstate": Buffer.from('{"number":50,"tries":2}').toString("base64"),
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
    });

  test("a game is played to its end through the Worker", async () => {
    const { page, complaints } = await openPage(browser(), example.url);
    await page.getByRole("status").getByText("Connected", { exact: true }).waitFor();
    let [low, high] = [1, 100];
    for (let tries = 1; ; tries++) {
      assert.ok(tries <= 7, "seven guesses are enough for a hundred numbers");
      const guess = Math.floor((low + high) / 2);
      await page.getByLabel("Your guess").fill(String(guess));
      await page.getByRole("button", { name: "Guess" }).click();
      await page
        .getByRole("listitem")
        .nth(tries - 1)
        .waitFor();
      const answer = await page.getByRole("listitem").first().innerText();
      if (answer.includes("Right")) {
        assert.match(answer, new RegExp(`^${guess}: Right, after ${tries} (try|tries)\\.`));
        break;
      }
      if (answer.includes("higher")) low = guess + 1;
      else high = guess - 1;
    }
    assert.deepEqual(await violationsOn(page), []);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  test("an event that the service did not sign is refused", async () => {
    assert.equal((await post("another key", { guess: 50 })).status, 401);
  });

  test("a signed event is answered, and the state is kept", async () => {
    const response = await post(service.key, { guess: 40 });
    assert.deepEqual([response.status, await response.json()], [200, { guess: 40, hint: "higher", tries: 3 }]);
    const state = Buffer.from(response.headers.get("ce-connectionstate") ?? "", "base64").toString();
    assert.deepEqual(JSON.parse(state), { number: 50, tries: 3 });
    assert.equal((await post(service.key, { guess: "x" })).status, 400);
  });
});
