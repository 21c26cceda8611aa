import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { headersWithPrefix, messageHead, requestHead } from "../../worker/js/headers.ts";
import { respond } from "../../worker/js/respond.ts";

describe("A response", () => {
  test("has its status, headers and text, and forbids guesses", async () => {
    const response = respond(404, "Content-Type\ntext/plain\nRetry-After\n1\n", "größer");
    assert.equal(response.status, 404);
    assert.deepEqual(Object.fromEntries(response.headers), {
      "content-type": "text/plain",
      "retry-after": "1",
      "x-content-type-options": "nosniff",
    });
    assert.equal(await response.text(), "größer");
  });

  test("has the type that it is given and no other", () => {
    assert.equal(respond(200, "", "text").headers.get("content-type"), null);
  });

  test("without a body that is like the last one is another one", () => {
    const one = respond(202, "X-One\n1\n");
    const two = respond(202, "X-One\n1\n");
    one.headers.set("X-One", "changed");
    assert.notEqual(one, two);
    assert.equal(two.headers.get("x-one"), "1");
    assert.equal(respond(202, "X-One\n1\n").headers.get("x-one"), "1");
  });

  test("that differs from the last one keeps to itself", () => {
    respond(202, "X-One\n1\n");
    assert.equal(respond(204, "X-One\n1\n").status, 204);
    assert.equal(respond(204, "").headers.get("x-one"), null);
  });
});

describe("A request's head", () => {
  const headers = { Authorization: "Bearer x", "Content-Type": "text/plain", "X-Meta-A": "1", "X-Meta-B": "2" };
  const request = new Request("http://localhost/a?b", { method: "POST", headers, body: "x" });

  test("is method, URL and token", () => {
    assert.equal(requestHead(request), "POST http://localhost/a?b\nBearer x");
    assert.equal(requestHead(new Request("http://localhost/")), "GET http://localhost/\n");
  });

  test("of a message is type, length and what has the prefix", () => {
    assert.equal(messageHead(request, "x-meta-"), "text/plain\n\nx-meta-a\n1\nx-meta-b\n2");
    assert.deepEqual(headersWithPrefix(request.headers, "x-meta-"), ["x-meta-a", "1", "x-meta-b", "2"]);
  });
});
