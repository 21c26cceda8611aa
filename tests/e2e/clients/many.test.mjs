// Two thousand connections, and a message to all of them. `npm run broadcast` does the same with 10,000.
import { test } from "node:test";
import { describeBroadcasts, measureBroadcasts } from "../../support/broadcast.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1 } from "../../support/socket.mjs";

const CONNECTIONS = 2_000;

forEachShardCount(
  "Many connections",
  (service) => {
    test("all receive what is sent to all, once and in order", async (t) => {
      for (const line of describeBroadcasts(await measureBroadcasts(service, CONNECTIONS, [JSON_V1])))
        t.diagnostic(line);
    });
  },
  { steady: "hubs have grown before everybody is there" },
);
