// The chat page in Rust, in two browsers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage } from "../support/browser.mjs";
import { describeExample } from "../support/example.mjs";
import { build } from "../../examples/rust-chat/build.mjs";

// Built first: from nothing it takes longer than an example has to say where it is.
describeExample(
  "rust-chat",
  ({ example, browser }) => {
    test("a page in Rust shows who is there and what they say", async () => {
      const first = await openPage(browser(), example.url);
      await first.page.locator("#members", { hasText: "guest 1" }).waitFor();
      const second = await openPage(browser(), example.url);
      for (const { page } of [first, second])
        for (const name of ["guest 1", "guest 2"]) await page.locator("#members", { hasText: name }).waitFor();
      await second.page.getByLabel("What to say").fill("Hello from Yew");
      await second.page.getByRole("button", { name: "Say" }).click();
      for (const { page, complaints } of [first, second]) {
        await page.locator("#lines", { hasText: "guest 2: Hello from Yew" }).waitFor();
        assert.deepEqual(complaints, []);
      }
    });
  },
  build,
);
