"""Loses its transport again and again with Microsoft's package. Prints what it saw, as JSON, for the test to judge.

The test drops its links when it receives a message from the script in the group `test`.

Arguments: `sync` or `aio`, protocol, hub, and two connection strings: the service's, and one for clients, over a link.
"""

import asyncio
import json
import sys

from azure.messaging.webpubsubclient.models import CallbackType
from kit import TEXT, Kit

CONNECTED, DISCONNECTED = CallbackType.CONNECTED, CallbackType.DISCONNECTED
GROUP_MESSAGE, SERVER_MESSAGE = CallbackType.GROUP_MESSAGE, CallbackType.SERVER_MESSAGE

kit = Kit(*sys.argv[1:])


def be_dropped():
    """Sends the test the message that it is time to."""
    kit.service.send_to_group("test", "now", **TEXT)


async def members(group):
    return [member.connection_id for member in kit.service.list_connections(group=group)]


async def recovering():
    """Receives what it missed, once, and is who it was, until a server closes the connection in a drop."""
    client = await kit.connect(user_id="dropped")
    await client("join_group", "room", ack_id=1000)
    received = []
    for _ in range(3):
        be_dropped()
        two = [await client.next(GROUP_MESSAGE) for _ in range(2)]
        received += sorted([message.sequence_id, message.data] for message in two)
    await client("leave_group", "room", ack_id=1000)
    kit.service.send_to_group("room", "still in?", **TEXT)
    kit.service.send_to_connection(client.id, "still you?", **TEXT)
    received += [[message.sequence_id, message.data] for message in (await client.next(GROUP_MESSAGE), await client.next(SERVER_MESSAGE))]
    assert [client.unheard(event) for event in CallbackType] == [0] * len(CallbackType)

    be_dropped()
    assert (await client.next(DISCONNECTED)).connection_id == client.id
    assert (await client.next(CONNECTED)).connection_id != client.id
    await client("close")
    return received


async def starting_anew():
    """Has another connection after a drop, and joins its groups again."""
    client = await kit.connect()
    await client("join_group", "room")
    be_dropped()
    assert (await client.next(DISCONNECTED)).connection_id == client.id
    again = (await client.next(CONNECTED)).connection_id
    assert again != client.id
    # The package does not report when it has joined a group again.
    while again not in await members("room"):
        pass
    kit.service.send_to_group("room", "welcome back", **TEXT)
    received = (await client.next(GROUP_MESSAGE)).data
    await client("close")
    return received


async def main():
    print(json.dumps(await (recovering() if kit.is_reliable else starting_anew())))


asyncio.run(main())
