// How the page reads connection strings and client URLs; this part of it runs anywhere.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { makeClientUrl, readClientUrl } from "../../www/src/access/client-url.js";
import { connectionString, parseConnectionString } from "../../www/src/access/connection-string.js";
import { grantedBy, problemOfRole } from "../../www/src/access/roles.js";
import { claimsOf, sign } from "../support/token.mjs";

describe("The page's client URLs", () => {
  test("connection strings are read as the SDKs read them", () => {
    for (const [text, endpoint, key] of [
      ["Endpoint=http://localhost:8080;AccessKey=a+b/c==;Version=1.0;", "http://localhost:8080", "a+b/c=="],
      ["accesskey=k ; endpoint=https://example.com/", "https://example.com", "k"],
      ["Endpoint=example.com;AccessKey=k", "https://example.com", "k"],
      ["Endpoint=http://localhost;Port=8181;AccessKey=k", "http://localhost:8181", "k"],
    ]) {
      const read = parseConnectionString(text);
      assert.deepEqual([read.endpoint.origin, read.key], [endpoint, key], text);
    }
    for (const [text, words] of [
      ["", "no Endpoint"],
      ["AccessKey=k", "no Endpoint"],
      ["Endpoint=http://localhost", "no AccessKey"],
      ["Endpoint=http://;AccessKey=k", "not http://HOST"],
      ["Endpoint=ftp://localhost;AccessKey=k", "not http://HOST"],
    ]) {
      assert.throws(() => parseConnectionString(text), new RegExp(words), text);
    }
  });

  test("a URL made here is signed as the SDKs sign it", async () => {
    const wish = {
      ...parseConnectionString(connectionString("http://localhost:8080", "kéy")),
      hub: "Chat",
      user: "älice",
      roles: ["r"],
      groups: ["ü"],
      minutes: 5,
    };
    const url = new URL(await makeClientUrl(wish));
    assert.equal(`${url.origin}${url.pathname}`, "ws://localhost:8080/client/hubs/Chat");
    const token = url.searchParams.get("access_token");
    const { iat, exp, ...claims } = claimsOf(token);
    assert.equal(exp - iat, 300);
    assert.deepEqual(claims, {
      aud: "http://localhost:8080/client/hubs/Chat",
      sub: "älice",
      role: ["r"],
      "webpubsub.group": ["ü"],
    });
    assert.equal(token, sign(claimsOf(token), "kéy", {}));
    for (const wrong of [{ hub: "1" }, { hub: "a/b" }, { minutes: 0 }, { minutes: 1.5 }, { minutes: NaN }]) {
      await assert.rejects(makeClientUrl({ ...wish, ...wrong }), Error, JSON.stringify(wrong));
    }
  });

  test("a pasted URL is described in words", () => {
    const token = (claims) => sign(claims, "k");
    for (const [url, words] of [
      [
        `ws://localhost:8080/client/hubs/chat?access_token=${token({ sub: "älice" })}`,
        "Hub chat at localhost:8080, as älice; its token expires in 60 min.",
      ],
      [
        ` wss://example.com/client?hub=chat&access_token=${token({ exp: 0 })}\n`,
        /^Hub chat at example.com, without a user; its token expired \d+ h ago\.$/,
      ],
      ["ws://localhost/client/hubs/chat", "Hub chat at localhost, without a token."],
    ]) {
      const { says } = readClientUrl(url);
      if (words instanceof RegExp) assert.match(says, words);
      else assert.equal(says, words);
    }
    for (const wrong of [
      "",
      "chat",
      "http://localhost/client/hubs/chat",
      "ws://localhost/",
      "ws://localhost/client/hubs/chat?access_token=a.b",
    ]) {
      assert.throws(() => readClientUrl(wrong), Error, wrong);
    }
  });

  test("roles open the groups that the service opens for them", () => {
    const file = new URL("../vectors/roles/groups.json", import.meta.url);
    for (const { name, role, group, expected } of JSON.parse(readFileSync(file, "utf8")).vectors) {
      assert.equal(grantedBy([role], "joinLeaveGroup", group) === role, expected === true, name);
      assert.equal(problemOfRole(role) !== undefined, expected === null, name);
    }
    assert.equal(problemOfRole("webpubsub.sendToGroup.room"), undefined);
    for (const wrong of ["admin", "webpubsub.joinLeaveGroupies", "Webpubsub.joinLeaveGroup"])
      assert.ok(problemOfRole(wrong), wrong);
  });
});
