// Group states as clients have them: what `client.groupstate.spec.ts` of Microsoft's client says, one scenario a test,
// with its package 1.1.0 and with ours, against the service. What is said of the client alone is in
// `tests/client/group-states.test.mjs`.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } from "@azure/web-pubsub-client-1.1";
import { Kit } from "../../sdk/client-suite/kit.mjs";
import { MicrosoftStates } from "../../support/microsoft-states.mjs";
import { loadOurClient } from "../../support/our-client.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { Queue } from "../../support/waiting.mjs";

const ours = await loadOurClient();
const ROOM = "room";
const TYPING = { status: "typing" };
const notSubscribed = { message: `Group state is not subscribed for group '${ROOM}'.` };

forEachShardCount("Scenarios of group states", (service) => {
  const kits = {
    "Microsoft's": new Kit(service, MicrosoftStates, WebPubSubJsonReliableProtocol),
    "Microsoft's plain": new Kit(service, MicrosoftStates, WebPubSubJsonProtocol),
    our: new Kit(service, ours.WebPubSubClient, ours.WebPubSubJsonReliableProtocol),
    "our plain": new Kit(service, ours.WebPubSubClient, ours.WebPubSubJsonProtocol),
  };
  afterEach(async () => {
    for (const kit of Object.values(kits)) await kit.stopAll();
  });

  for (const [kind, kit] of Object.entries(kits)) {
    /** A client, with the changes of states that it receives. */
    function watched(one) {
      const changes = new Queue();
      one.client.on("group-states-changed", ({ group }) => changes.push(group));
      /** Waits until the client lists these states, by connection. */
      const lists = async (expected) => {
        for (;;) {
          const listed = one.client.listGroupStates(ROOM).map(({ connectionId, state }) => [connectionId, state]);
          if (JSON.stringify(Object.fromEntries(listed)) === JSON.stringify(expected)) return;
          assert.equal(await changes.next(`${JSON.stringify(expected)} instead of ${JSON.stringify(listed)}`), ROOM);
        }
      };
      return { ...one, changes, lists };
    }

    /** A member of a group, and a client that is subscribed to its states. */
    async function pair() {
      const hub = service.newHub();
      const member = await kit.connect(hub, { user: "bob" });
      await member.client.joinGroup(ROOM);
      const watcher = watched(await kit.connect(hub));
      await watcher.client.subscribeGroupStates(ROOM);
      return { hub, member, watcher };
    }

    test(`${kind} client sets a state under its own ack id`, async () => {
      const { member, watcher } = await pair();
      const result = await member.client.setGroupState(ROOM, TYPING, { ackId: 42 });
      assert.deepEqual(result, { ackId: 42, isDuplicated: false });
      await watcher.lists({ [member.id]: TYPING });
    });

    test(`${kind} client clears a state by leaving it out`, async () => {
      const { member, watcher } = await pair();
      await member.client.setGroupState(ROOM, TYPING);
      await watcher.lists({ [member.id]: TYPING });
      assert.equal((await member.client.clearGroupState(ROOM, { ackId: 43 })).ackId, 43);
      await watcher.lists({});
    });

    test(`${kind} client subscribes, and gets a snapshot`, async () => {
      const { hub, member } = await pair();
      await member.client.setGroupState(ROOM, TYPING);
      const late = watched(await kit.connect(hub));
      assert.equal((await late.client.subscribeGroupStates(ROOM, { ackId: 44 })).ackId, 44);
      await late.lists({ [member.id]: TYPING });
      const [{ connectionId, userId, state, updatedAt }] = late.client.listGroupStates(ROOM);
      assert.deepEqual([connectionId, userId, state, typeof updatedAt], [member.id, "bob", TYPING, "number"]);
    });

    test(`${kind} client unsubscribes, and knows nothing more`, async () => {
      const { hub, member, watcher } = await pair();
      await member.client.setGroupState(ROOM, TYPING);
      await watcher.lists({ [member.id]: TYPING });
      assert.equal((await watcher.client.unsubscribeGroupStates(ROOM, { ackId: 45 })).ackId, 45);
      assert.throws(() => watcher.client.listGroupStates(ROOM), notSubscribed);
      watcher.changes.drain();
      await member.client.setGroupState(ROOM, { status: "away" });
      // What comes after it has come: so would the change have.
      const other = watched(await kit.connect(hub));
      await other.client.subscribeGroupStates(ROOM);
      await other.lists({ [member.id]: { status: "away" } });
      await watcher.client.sendToGroup(ROOM, "barrier", "text");
      assert.deepEqual(watcher.changes.drain(), []);
    });

    test(`${kind} client subscribes again, and knows what it knew`, async () => {
      const { member, watcher } = await pair();
      await member.client.setGroupState(ROOM, TYPING);
      await watcher.lists({ [member.id]: TYPING });
      await watcher.client.subscribeGroupStates(ROOM);
      await watcher.lists({ [member.id]: TYPING });
      await member.client.clearGroupState(ROOM);
      await watcher.lists({});
    });

    test(`${kind} client lists its own state as the service says it`, async () => {
      const own = watched(await kit.connect(service.newHub()));
      await own.client.joinGroup(ROOM);
      await own.client.setGroupState(ROOM, TYPING);
      assert.throws(() => own.client.listGroupStates(ROOM), notSubscribed);
      await own.client.subscribeGroupStates(ROOM);
      await own.lists({ [own.id]: TYPING });
      await own.client.clearGroupState(ROOM);
      await own.lists({});
    });

    test(`${kind} client receives each change of others`, async () => {
      const { hub, member, watcher } = await pair();
      const second = await kit.connect(hub);
      await second.client.joinGroup(ROOM);
      await member.client.setGroupState(ROOM, TYPING);
      await watcher.lists({ [member.id]: TYPING });
      await member.client.setGroupState(ROOM, { status: "away" });
      await watcher.lists({ [member.id]: { status: "away" } });
      await member.client.leaveGroup(ROOM);
      await watcher.lists({});
      await second.client.setGroupState(ROOM, TYPING);
      await watcher.lists({ [second.id]: TYPING });
    });

    if (kit.reliable) continue;

    test(`${kind} client subscribes again on a new connection`, async (t) => {
      const { hub, member } = await pair();
      const { link, ...one } = await kit.startOverLink(t, hub);
      const watcher = watched(one);
      await watcher.client.joinGroup(ROOM);
      await watcher.client.subscribeGroupStates(ROOM);
      await watcher.client.setGroupState(ROOM, { status: "there" });
      await watcher.lists({ [watcher.id]: { status: "there" } });
      link.cut();
      const { connectionId } = await watcher.events.next("connected");
      assert.notEqual(connectionId, watcher.id);
      // Its own state ended with the connection, and the subscription is a new one.
      await member.client.setGroupState(ROOM, TYPING);
      await watcher.lists({ [member.id]: TYPING });
    });
  }
});
