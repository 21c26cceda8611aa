// The lines of programs that the page shows beside an operation of the REST API.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/paths.mjs";
import { javascriptFor } from "../../www/src/service/sdk-lines.js";

test("each operation has the line of Microsoft's package", () => {
  const { paths } = JSON.parse(readFileSync(at("www", "api", "openapi.json"), "utf8"));
  const ids = Object.values(paths)
    .flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId))
    .filter((id) => id.startsWith("WebPubSub_"));
  assert.ok(ids.length > 20, `${ids.length} operations`);
  const values = { hub: "h", group: "g", userId: "u", connectionId: "c", permission: "sendToGroup" };
  for (const id of ids) {
    const program = javascriptFor({ id }, values, { type: "text/plain", body: "x" });
    assert.ok(program?.includes("service."), `${id} has no line in www/src/service/sdk-lines.js`);
  }
});
