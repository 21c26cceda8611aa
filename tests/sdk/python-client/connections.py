"""Opens, closes and loses connections with Microsoft's package. Prints what it saw, as JSON, for the test to judge.

Arguments: `sync` or `aio`, protocol, hub, and two connection strings: the service's, and one for clients, over a link.
"""

import asyncio
import json
import sys

from azure.messaging.webpubsubclient.models import CallbackType
from kit import TEXT, Kit

CONNECTED, DISCONNECTED, STOPPED = CallbackType.CONNECTED, CallbackType.DISCONNECTED, CallbackType.STOPPED

kit = Kit(*sys.argv[1:])


async def opening():
    """Opens and closes, as often as one likes, and in a `with`."""
    client = await kit.make(kit.url(user_id="alice"))
    seen = [client.client.is_connected()]
    ids = set()
    for _ in range(2):
        await client("open")
        connected = await client.next(CONNECTED)
        seen.append([connected.user_id, client.client.is_connected(), kit.service.connection_exists(connected.connection_id)])
        ids.add(connected.connection_id)
        seen.append(str(await client.error("open")))
        for _ in range(2):
            await client("close")
        disconnected = await client.next(DISCONNECTED)
        assert (disconnected.connection_id, disconnected.message) == (connected.connection_id, None)
        await client.next(STOPPED)
        seen.append(bool(client.client.is_connected()))

    if client.is_async:
        async with client.client as opened:
            assert opened is client.client
            ids.add((await client.next(CONNECTED)).connection_id)
    else:
        with client.client:
            ids.add((await client.next(CONNECTED)).connection_id)
    await client.next(STOPPED)
    seen.append(len(ids))
    return seen


async def failing():
    """Does not open with a token that is refused, without a server, or without a URL."""

    def no_url():
        raise ValueError("no URL to give")

    async def not_opened(credential, **options):
        client = await kit.make(credential, **options)
        error = await client.error("open")
        assert not client.client.is_connected()
        assert [client.unheard(event) for event in CallbackType] == [0] * len(CallbackType)
        return type(error).__name__, str(error)

    url = kit.url().split("?")[0]
    seen = []
    for credential in (url, url + "?access_token=no"):
        name, text = await not_opened(credential)
        seen.append([name, "401" in text])
    # The blocking package may miss that no server listens, too, and then waits to the end.
    seen.append((await not_opened("ws://127.0.0.1:9/", start_timeout=1))[0])
    seen.append(await not_opened(kit.credential(no_url)))
    return seen


async def sent_away(**options):
    """A client that a server has closed the connection of, for a reason."""
    credential = options.pop("credential", None) or kit.url()
    client = await kit.open(credential, **options)
    for group in ("room", "shut"):
        await client("join_group", group)
    kit.service.close_connection(client.id, reason="a reason")
    disconnected = await client.next(DISCONNECTED)
    assert disconnected.connection_id == client.id
    return client, disconnected.message


async def stopping():
    """Stops where it is not to connect again."""
    client, message = await sent_away(reconnect_retry_total=0)
    await client.next(STOPPED)
    assert client.unheard(CONNECTED) == 0
    return message


async def members(group):
    return [member.user_id for member in kit.service.list_connections(group=group)]


async def reconnecting():
    """Connects again with a new URL, and joins its groups again as far as it may."""
    tokens = [
        {"user_id": "first"},
        {"user_id": "second", "roles": ["webpubsub.joinLeaveGroup.room"]},
    ]
    client, _ = await sent_away(credential=kit.credential(lambda: kit.url(**tokens.pop(0))))
    again = await client.next(CONNECTED)
    assert again.connection_id != client.id
    failed = await client.next(CallbackType.REJOIN_GROUP_FAILED)
    # The package does not report when it has joined a group again.
    while "second" not in await members("room"):
        pass
    kit.service.send_to_group("room", "welcome back", **TEXT)
    seen = [again.user_id, failed.group, failed.error.error_detail.name, (await client.next(CallbackType.GROUP_MESSAGE)).data]
    await client("close")
    return seen


async def leaving():
    """Does not join its groups again where it is not to."""
    client, _ = await sent_away(auto_rejoin_groups=False)
    await client.next(CONNECTED)
    await client("join_group", "other")
    seen = [kit.service.group_exists(group) for group in ("room", "other")]
    await client("close")
    return seen


async def giving_up():
    """Stops when it has tried to connect again often enough."""
    asked = []

    def ask():
        asked.append("again")
        if len(asked) > 1:
            raise ValueError("no URL any more")
        return kit.url()

    client, _ = await sent_away(credential=kit.credential(ask), reconnect_retry_total=2)
    await client.next(STOPPED)
    return len(asked)


async def main():
    tests = (opening, failing, stopping, reconnecting, leaving, giving_up)
    print(json.dumps({test.__name__: await test() for test in tests}))


asyncio.run(main())
