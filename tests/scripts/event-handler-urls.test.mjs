// The URLs of event handlers: the host that is judged is the one that a URL's parser finds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { matched } from "../support/found.mjs";
import { readVectors } from "../support/vectors.mjs";

const accepted = readVectors("cloud-events/urls").filter(({ expected }) => "public" in expected);

for (const { name, input } of accepted) {
  test(`the host of ${name.slice(0, 60)} is what is written there`, () => {
    const [, written] = matched(/^https?:\/\/(\[[^\]]*\]|[^/?:]+)/i, input);
    // An IPv6 address has many spellings, and nothing but the address stands in the brackets.
    const host = written.startsWith("[") ? new URL(`https://${written}`).hostname : written.toLowerCase();
    assert.equal(new URL(input).hostname, host);
  });
}
