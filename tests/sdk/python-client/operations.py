"""Joins, leaves, sends and receives with Microsoft's package. Prints what it saw, as JSON, for the test to judge.

Arguments: `sync` or `aio`, protocol, hub, and two connection strings: the service's, and one for clients, over a link.
"""

import asyncio
import json
import queue
import sys

from azure.messaging.webpubsubclient.models import CallbackType, WebPubSubDataType
from kit import TEXT, Kit, next_of

GROUP_MESSAGE, SERVER_MESSAGE = CallbackType.GROUP_MESSAGE, CallbackType.SERVER_MESSAGE
PAYLOADS = [
    ("hi", WebPubSubDataType.TEXT),
    ("ünï \0 \"\\\n", WebPubSubDataType.TEXT),
    ({"a": [1, None]}, WebPubSubDataType.JSON),
    (["a list"], "json"),
    (memoryview(b"\x00\xff"), WebPubSubDataType.BINARY),
    (memoryview(b"\x0a\x03a/b"), WebPubSubDataType.PROTOBUF),
]
OPERATIONS = [
    ("join_group", "room"),
    ("leave_group", "room"),
    ("send_to_group", "room", "hi", WebPubSubDataType.TEXT),
    ("send_event", "chat", "hi", WebPubSubDataType.TEXT),
]

kit = Kit(*sys.argv[1:])


async def talking():
    """Two clients in a group, one of which leaves it."""
    alice, bob = await kit.connect(user_id="alice"), await kit.connect(user_id="bob")
    for client in (alice, bob):
        await client("join_group", "room")
    received = []
    for content, data_type in PAYLOADS:
        await alice("send_to_group", "room", content, data_type)
        assert await alice.message(GROUP_MESSAGE) == (message := await bob.message(GROUP_MESSAGE))
        received.append(message)

    await alice("send_to_group", "room", "no echo", "text", no_echo=True)
    await alice("send_to_group", "room", "no ack", "text", ack=False)
    by_bob = {(await bob.next(GROUP_MESSAGE)).data for _ in range(2)}
    assert by_bob == {"no echo", "no ack"}, by_bob
    assert (await alice.next(GROUP_MESSAGE)).data == "no ack"

    await bob("leave_group", "room")
    await alice("send_to_group", "room", "gone", "text")
    assert (await alice.next(GROUP_MESSAGE)).data == "gone"
    kit.service.send_to_all("last", **TEXT)
    assert (await bob.next(SERVER_MESSAGE)).data == "last"
    assert [client.unheard(GROUP_MESSAGE) for client in (alice, bob)] == [0, 0]
    return received


async def receiving():
    """A server speaks to all, a user, a connection and a group."""
    client = await kit.connect(user_id="alice", groups=["room"])
    received = []
    kit.service.send_to_all("Hello World", **TEXT)
    received.append(await client.message(SERVER_MESSAGE))
    kit.service.send_to_user("alice", {"order": 42})
    received.append(await client.message(SERVER_MESSAGE))
    kit.service.send_to_connection(client.id, b"\x01\xff", content_type="application/octet-stream")
    received.append(await client.message(SERVER_MESSAGE))
    kit.service.send_to_group("room", "to the room", **TEXT)
    received.append(await client.message(GROUP_MESSAGE))

    also_received = queue.Queue()
    listener = client.listener(also_received)
    await client("subscribe", SERVER_MESSAGE, listener)
    kit.service.send_to_all("to both", **TEXT)
    assert (await client.next(SERVER_MESSAGE)).data == (await next_of(also_received, "the same")).data == "to both"
    await client("unsubscribe", SERVER_MESSAGE, listener)
    kit.service.send_to_all("to one", **TEXT)
    assert (await client.next(SERVER_MESSAGE)).data == "to one"
    assert also_received.empty()
    return received


async def acknowledging():
    """Ack ids of one's own: what was done under one is not done again, whatever it is."""
    client = await kit.connect(groups=["room"])
    for _ in range(2):
        await client("send_to_group", "room", "once", "text", ack_id=1000)
    for operation in OPERATIONS:
        await client(*operation, ack_id=1000)
    await client("join_group", "room", ack_id=1001)
    await client("send_to_group", "room", "after", "text", ack_id=1002)
    received = sorted([(await client.next(GROUP_MESSAGE)).data for _ in range(2)])
    assert client.unheard(GROUP_MESSAGE) == 0
    return received


async def refused():
    """What may not be done, and how that is reported."""
    client = await kit.connect(roles=[])
    seen = []
    for operation in OPERATIONS:
        error = await client.error(*operation, ack_id=11)
        detail = error.error_detail
        seen.append([type(error).__name__, error.message, error.ack_id, detail.name, detail.message])
    for operation in OPERATIONS[2:]:
        await client(*operation, ack=False)
    assert client.client.is_connected()
    return seen


async def retrying():
    """Each try has an ack id of its own."""
    client = await kit.open(kit.url(roles=[]), message_retry_total=2, message_retry_backoff_factor=0.01)
    return [(await client.error(*operation)).ack_id for operation in OPERATIONS]


async def impossible():
    """What the package does not send."""
    client = await kit.connect()
    seen = []
    for content, data_type in ((5, "text"), (b"bytes", "binary"), ("text", "protobuf"), ("text", "other")):
        for operation in ("send_to_group", "send_event"):
            seen.append(type(await client.error(operation, "room", content, data_type)).__name__)
    await client("close")
    for operation in OPERATIONS:
        error = await client.error(*operation)
        seen.append([type(error).__name__, error.message])
    return seen


async def main():
    tests = (talking, receiving, acknowledging, refused, retrying, impossible)
    print(json.dumps({test.__name__: await test() for test in tests}))
    await kit.close_all()


asyncio.run(main())
