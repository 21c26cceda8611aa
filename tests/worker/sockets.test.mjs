// Sockets by slot: fan-out, attachments and closing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { standIn } from "./platform.mjs";
import { Sockets, closeSocket, readAttachment, refuseSocket } from "../../worker/js/sockets.ts";

/** A socket that keeps what is done with it; `send` and `close` throw where they are to. */
class FakeSocket {
  done = [];
  attachment = undefined;

  /** @param {{ isClosed?: boolean, bufferedAmount?: number }} its */
  constructor({ isClosed = false, bufferedAmount }) {
    this.isClosed = isClosed;
    this.bufferedAmount = bufferedAmount;
  }

  send(data) {
    this.#note("send", typeof data === "string" ? data : [...data]);
  }

  close(code, reason) {
    this.#note("close", code, reason);
  }

  accept() {
    this.#note("accept");
  }

  serializeAttachment(value) {
    this.attachment = value;
  }

  deserializeAttachment() {
    return this.attachment;
  }

  #note(...what) {
    if (this.isClosed) throw new Error("closed");
    this.done.push(what);
  }
}

/** @returns {FakeSocket & WebSocket} */
const socket = (its = {}) => standIn(new FakeSocket(its));

const slots = (...numbers) => Uint32Array.from(numbers);

/** Sockets of a shard, at the slots 0, 1, 2, … */
function shard(...fakes) {
  const sockets = new Sockets();
  fakes.forEach((fake, slot) => void sockets.put(slot, fake));
  return sockets;
}

describe("A fan-out", () => {
  test("reaches the receivers' sockets and no other", () => {
    const [one, two, three] = [socket(), socket(), socket()];
    const sockets = shard(one, two, three);
    assert.equal(sockets.sendText(slots(2, 0), "hello"), undefined);
    assert.deepEqual([one.done, two.done, three.done], [[["send", "hello"]], [], [["send", "hello"]]]);
  });

  test("goes on after a socket that throws, and names it", () => {
    const [one, gone, three] = [socket(), socket({ isClosed: true }), socket()];
    const sockets = shard(one, gone, three);
    assert.deepEqual(sockets.sendText(slots(0, 1, 2), "hello"), slots(1));
    assert.deepEqual([one.done.length, three.done.length], [1, 1]);
  });

  test("skips slots without a socket", () => {
    const one = socket();
    const sockets = shard(one);
    assert.equal(sockets.sendBytes(slots(7, 0), Uint8Array.of(1, 2)), undefined);
    assert.deepEqual(one.done, [["send", [1, 2]]]);
  });

  test("numbers each frame for its own socket", () => {
    const fakes = [socket(), socket(), socket()];
    shard(...fakes).sendNumbered(slots(0, 1, 2), '{"id":', Float64Array.of(7, 7, 9), "}");
    assert.deepEqual(
      fakes.map(({ done }) => done[0][1]),
      ['{"id":7}', '{"id":7}', '{"id":9}'],
    );
  });

  test("decodes large text as UTF-8, from within its buffer", () => {
    const one = socket();
    const buffer = new TextEncoder().encode("xgrüße €x");
    shard(one).sendLargeText(slots(0), buffer.subarray(1, buffer.length - 1));
    assert.deepEqual(one.done, [["send", "grüße €"]]);
  });
});

describe("A slot", () => {
  test("is known by its socket until it is forgotten", () => {
    const one = socket();
    const sockets = shard(one);
    assert.equal(sockets.slot(one), 0);
    sockets.forget(0);
    assert.equal(sockets.slot(one), undefined);
    assert.deepEqual(one.done, [], "its close is the client's");
  });

  test("answers its client's close frame when it is forgotten, once", () => {
    const one = socket();
    const sockets = shard(one);
    sockets.answerClose(0, 1000, "bye");
    sockets.forget(0);
    sockets.forget(0);
    assert.deepEqual(one.done, [["close", 1000, "bye"]]);
  });

  test("gives no answer meant for the socket before", () => {
    const [one, two] = [socket(), socket()];
    const sockets = shard(one);
    sockets.answerClose(0, 1000, "bye");
    sockets.close(0, 1008, "out");
    sockets.put(0, two);
    sockets.forget(0);
    assert.deepEqual([one.done, two.done], [[["close", 1008, "out"]], []]);
  });

  test("that is closed leaves its socket without an attachment", () => {
    const one = socket();
    const sockets = shard(one);
    sockets.attach(0, Uint8Array.of(1));
    assert.deepEqual(readAttachment(one), Uint8Array.of(1));
    sockets.close(0, 1008, "out");
    assert.equal(readAttachment(one), undefined);
    assert.equal(sockets.slot(one), undefined);
  });

  test("attaches a copy: wasm's memory goes on changing", () => {
    const one = socket();
    const bytes = Uint8Array.of(1, 2);
    shard(one).attach(0, bytes);
    bytes[0] = 9;
    assert.deepEqual(readAttachment(one), Uint8Array.of(1, 2));
  });

  test("has as much waiting as its socket says, or nothing", () => {
    const sockets = shard(socket({ bufferedAmount: 12 }), socket());
    assert.deepEqual(
      [0, 1, 2].map((slot) => sockets.waiting(slot)),
      [12, 0, 0],
    );
  });
});

describe("A socket", () => {
  test("that is closed already is closed without an error", () => {
    closeSocket(socket({ isClosed: true }), 1000, "");
  });

  test("that is refused is accepted, and closed at once", () => {
    const one = socket();
    refuseSocket(one, 1013, "full");
    assert.deepEqual(one.done, [["accept"], ["close", 1013, "full"]]);
  });
});
