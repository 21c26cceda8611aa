// The roles of a client: which groups each allows, by name or by pattern.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { cases } from "../../support/cases.mjs";
import { checked, JOIN_LEAVE, SEND } from "../../support/permissions.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { until } from "../../support/waiting.mjs";

/** @import { Hub } from "../../support/hub.mjs" */

/**
 * Fails unless a connection with these roles may do exactly this; groups are found by a server's check.
 * @param {Hub} hub
 * @param {string | string[]} roles
 * @param {{ join?: string[], send?: string[], groups: string[] }} expected
 */
async function expectRoles(hub, roles, { join = [], send = [], groups }) {
  const alice = await hub.connect({ roles });
  for (const group of groups) {
    const answers = [await checked(hub, JOIN_LEAVE, alice.id, group), await checked(hub, SEND, alice.id, group)];
    assert.deepEqual(
      answers,
      [join.includes(group), send.includes(group)],
      `${String(roles).slice(0, 100)}: ${group.slice(0, 20)}`,
    );
  }
  alice.cut();
}

forEachShardCount(
  "Roles",
  (service) => {
    test("role strings mean what they say, letter for letter", async () => {
      const hub = service.newHub();
      const groups = ["a", "A", "a.b.c", "a.b", "*", "ä b/c", "x"];
      for (const [roles, expected] of /** @type {[string | string[], { send?: string[], join?: string[] }][]} */ ([
        [["webpubsub.sendToGroup"], { send: groups }],
        [["webpubsub.joinLeaveGroup"], { join: groups }],
        ["webpubsub.sendToGroup.a", { send: ["a"] }],
        [["webpubsub.sendToGroup.a.b.c"], { send: ["a.b.c"] }],
        [["webpubsub.joinLeaveGroup.ä b/c"], { join: ["ä b/c"] }],
        [["webpubsub.sendToGroup.*", "webpubsub.joinLeaveGroup.*"], { send: ["*"], join: ["*"] }],
        [["webpubsub.sendToGroups.a*", "webpubsub.joinLeaveGroups.a.**"], { send: ["a"], join: ["a.b.c", "a.b"] }],
        [
          ["webpubsub.sendToGroup.a", "webpubsub.sendToGroup.x", "webpubsub.sendToGroups.?.b"],
          { send: ["a", "x", "a.b"] },
        ],
        [
          [
            "admin",
            "WebPubSub.sendToGroup",
            "webpubsub.sendtogroup",
            "webpubsub.SendToGroup.a",
            "webpubsub.sendToGroups",
            "sendToGroup",
            "webpubsub.sendToAll",
          ],
          {},
        ],
      ])) {
        await expectRoles(hub, roles, { ...expected, groups });
      }
    });

    test("patterns match as the published table says", async () => {
      const hub = service.newHub();
      for (const [pattern, matching, others] of cases([
        ["team-*", ["team-1", "team-red", "team-"], ["team.1", "xteam-1", "Team-1"]],
        ["tenantA.*", ["tenantA.news", "tenantA.1"], ["tenantA", "tenantA.news.room1", "tenantB.news"]],
        ["tenantA.**", ["tenantA.news", "tenantA.news.room1"], ["tenantB.anything"]],
        ["tenantA.***", ["tenantA.news", "tenantA.news.room1"], ["tenantB.anything"]],
        [
          "tenantA.rooms.?1",
          ["tenantA.rooms.a1", "tenantA.rooms.11"],
          ["tenantA.rooms.1", "tenantA.rooms.a.1", "tenantA.rooms..1"],
        ],
        ["room*", ["room", "room1", "room/1"], ["room.1", "Room1"]],
        [String.raw`lit\*x`, ["lit*x"], ["litYx", String.raw`lit\*x`]],
        [String.raw`\?\\`, [String.raw`?\ `.trim()], ["a\\", "?"]],
        ["**", ["everything", "a.b.c", "...", " x"], []],
        ["plain", ["plain"], ["plainx", "xplain"]],
      ])) {
        const groups = [...matching, ...others];
        await expectRoles(hub, [`webpubsub.sendToGroups.${pattern}`], { send: matching, groups });
        await expectRoles(hub, [`webpubsub.joinLeaveGroups.${pattern}`], { join: matching, groups });
      }
    });

    test("invalid or too many patterns grant nothing, the others hold", async () => {
      const hub = service.newHub();
      const invalid = ["", "a\\", "a\\b", "??????", "*a*a*a*a*a*", "*".padEnd(1025, "h")];
      const valid = ["?????", "**b**b**b**b**", "*".padEnd(1024, "g")];
      const allowed = ["five5", "bbbb", "g".repeat(1023), "g".repeat(1024)];
      const groups = [...allowed, "a\\", "a\\b", "sixsix", "-a-a-a-a-a-", "h".repeat(1024)];
      await expectRoles(
        hub,
        [...invalid, ...valid].map((pattern) => `webpubsub.sendToGroups.${pattern}`),
        { send: allowed, groups },
      );
      const line = {
        level: "warning",
        failed: `reading the roles of a client of hub ${hub.name}`,
        error: "6 are invalid, or more than it may have",
      };
      await until(() => setImmediate(service.logged(line) > 0), "the line about the invalid roles");

      const ten = Array.from({ length: 10 }, (_, n) => `${n}-*`);
      const roles = ten.flatMap((pattern) => [
        `webpubsub.sendToGroups.${pattern}`,
        `webpubsub.joinLeaveGroups.${pattern}`,
      ]);
      const names = ten.map((pattern) => pattern.replace("*", "x"));
      await expectRoles(hub, roles, { send: names, join: names, groups: names });
    });
  },
  { steady: "it is about one connection" },
);
