"""Sends events with Microsoft's package, and receives the answers. Prints what it received, as JSON, for the test to judge.

Arguments: `sync` or `aio`, protocol, hub, and two connection strings: the service's, and one for clients, over a link.
"""

import asyncio
import json
import sys

from azure.messaging.webpubsubclient.models import CallbackType, WebPubSubDataType
from kit import Kit

PAYLOADS = [
    ("grüße", WebPubSubDataType.TEXT),
    ({"a": [1, None]}, WebPubSubDataType.JSON),
    (memoryview(b"\x00\xff"), WebPubSubDataType.BINARY),
]

kit = Kit(*sys.argv[1:])


async def main():
    alice = await kit.connect(user_id="alice")
    received = []
    for ack in (True, False):
        for content, data_type in PAYLOADS:
            await alice("send_event", "echo", content, data_type, ack=ack)
            received.append(await alice.message(CallbackType.SERVER_MESSAGE))
    await kit.close_all()
    print(json.dumps(received))


asyncio.run(main())
