// Responses as the worker writes them, and the heads of requests as it reads them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { headersWithPrefix, requestHead, taskHead } from "../../worker/js/headers.ts";
import { respond } from "../../worker/js/respond.ts";

describe("A response", () => {
  test("has its status, headers and text, and forbids guesses", async () => {
    const response = respond("404\ncontent-type:text/plain\nx-why:a: b\n\ngrößer\n\nund größer");
    assert.equal(response.status, 404);
    assert.deepEqual(Object.fromEntries(response.headers), {
      "content-type": "text/plain",
      "x-content-type-options": "nosniff",
      "x-why": "a: b",
    });
    assert.equal(await response.text(), "größer\n\nund größer");
  });

  test("has the type that it is given and no other", () => {
    assert.equal(respond("200\n\ntext").headers.get("content-type"), null);
  });

  test("without a body that is like the last one is another one", () => {
    const one = respond("202\nx-one:1\n\n");
    const two = respond("202\nx-one:1\n\n");
    assert.equal(one.body, null);
    one.headers.set("X-One", "changed");
    assert.notEqual(one, two);
    assert.equal(two.headers.get("x-one"), "1");
    assert.equal(respond("202\nx-one:1\n\n").headers.get("x-one"), "1");
  });

  test("that differs from the last one keeps to itself", () => {
    respond("202\nx-one:1\n\n");
    assert.equal(respond("204\nx-one:1\n\n").status, 204);
    assert.equal(respond("204\n\n").headers.get("x-one"), null);
  });
});

describe("A request's head", () => {
  const headers = { Authorization: "Bearer x", "Content-Type": "text/plain", "X-Meta-A": "1", "X-Meta-B": "2" };
  const request = new Request("http://localhost/a?b", { method: "POST", headers, body: "x" });

  test("is method, URL and token", () => {
    assert.equal(requestHead(request), "POST http://localhost/a?b\nBearer x");
    assert.equal(requestHead(new Request("http://localhost/")), "GET http://localhost/\n");
  });

  test("for a shard is type, length and what has the prefix", () => {
    assert.equal(taskHead(request, "x-meta-"), "POST http://localhost/a?b\ntext/plain\n\nx-meta-a\n1\nx-meta-b\n2");
    assert.deepEqual(headersWithPrefix(request.headers, "x-meta-"), ["x-meta-a", "1", "x-meta-b", "2"]);
  });
});
