// Our client and Microsoft's newest, step by step against the same service: calls, results, errors and events.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import * as microsoft from "@azure/web-pubsub-client-1.1";
import { AT_ONCE } from "../support/event-handler.mjs";
import { loadOurClient } from "../support/our-client.mjs";
import { forEachShardCount, root } from "../support/service.mjs";
import { scenarios } from "./side-by-side/scenarios.mjs";
import { Side } from "./side-by-side/side.mjs";

const ours = await loadOurClient();
const readme = readFileSync(`${root}/crates/webpubsub-client/npm/README.md`, "utf8");

test("there are at least eighty scenarios, all named apart", () => {
  assert.ok(scenarios.length >= 80, String(scenarios.length));
  assert.equal(new Set(scenarios.map(({ name }) => name)).size, scenarios.length);
});

test("each difference is in the package's README", () => {
  for (const { differs } of scenarios) assert.ok(differs === undefined || readme.includes(differs), String(differs));
});

/**
 * A start is done when the socket is open, and `connected` follows in the same moment: which one a program sees first is
 * for neither package to say.
 */
function inOrder(log) {
  const ordered = [];
  for (const entry of log) {
    const at =
      entry[0] === "start" && entry[1] === "gives" ? ordered.findLastIndex(([what]) => what === "event connected") : -1;
    const isSince =
      at >= 0 &&
      !ordered
        .slice(at)
        .some(([what, outcome]) => what === "event stopped" || outcome === "gives" || outcome === "fails");
    ordered.splice(isSince ? at : ordered.length, 0, entry);
  }
  return ordered;
}

forEachShardCount(
  "Side by side",
  (service) => {
    for (const protocol of /** @type {const} */ (["JSON", "reliable JSON"])) {
      describe(protocol, { concurrency: 4 }, () => {
        for (const { name, run, differs, only } of scenarios) {
          if (only && only !== protocol) continue;
          test(name, async (t) => {
            const logs = [];
            for (const exported of [microsoft, ours]) {
              const side = new Side(t, service, exported, protocol !== "JSON");
              await run(side);
              logs.push(inOrder(side.log));
            }
            const [theirs, own] = logs;
            if (differs) assert.notDeepEqual(own, theirs, "there is no difference any more");
            else assert.deepEqual(own, theirs);
          });
        }
      });
    }
  },
  { variables: AT_ONCE, shardCounts: [1], steady: "one service is enough to compare two clients" },
);
