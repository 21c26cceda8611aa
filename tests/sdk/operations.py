"""What a Python server does to connections, groups and permissions with Microsoft's package, the blocking or the
asynchronous one. Prints what it saw, as JSON, for the test to judge.

Arguments: `sync` or `aio`, connection string, hub, and the ids of connections of users with these names: one, two,
a member of the group closing, and a witness.
"""

import asyncio
import inspect
import json
import sys

from azure.core.exceptions import HttpResponseError
from azure.messaging.webpubsubservice import WebPubSubServiceClient
from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient as AsyncWebPubSubServiceClient

kind, connection_string, hub, one, two, closing, witness = sys.argv[1:]
package = {"sync": WebPubSubServiceClient, "aio": AsyncWebPubSubServiceClient}[kind]
service = package.from_connection_string(connection_string, hub=hub)


async def do(name, *args, **options):
    """Calls a method of either package."""
    result = getattr(service, name)(*args, **options)
    return await result if inspect.isawaitable(result) else result


async def members(group, **options):
    pages = service.list_connections(group=group, **options)
    found = [member async for member in pages] if hasattr(pages, "__aiter__") else list(pages)
    return [[member.connection_id, member.user_id] for member in found]


async def refusal(name, *args, **options):
    try:
        await do(name, *args, **options)
    except HttpResponseError as error:
        return [error.status_code, error.response.headers["x-ms-error-code"]]


async def exist(*groups):
    return [await do("group_exists", group) for group in groups]


async def main():
    seen = {}
    await do("add_connection_to_group", "the room/1", one)
    await do("add_user_to_group", "the room/1", "two")
    seen["members"] = await members("the room/1")
    seen["page_by_page"] = await members("the room/1", maxpagesize=1)
    seen["first"] = await members("the room/1", top=1)
    await do("remove_connection_from_group", "the room/1", one)
    seen["without_one"] = await members("the room/1")
    await do("remove_user_from_group", "the room/1", "two")
    seen["without_two"] = await members("the room/1")
    seen["strangers"] = [
        await refusal("add_connection_to_group", "room", "unknown"),
        await refusal("add_user_to_group", "room", "unknown"),
        await refusal("grant_permission", "sendToGroup", "unknown", target_name="room"),
    ]

    for group in ("one's", "shared"):
        await do("add_connection_to_group", group, one)
    for group in ("two's", "shared"):
        await do("add_user_to_group", group, "two")
    seen["groups"] = [await exist("one's", "two's", "shared")]
    await do("remove_connection_from_all_groups", one)
    seen["groups"].append(await exist("one's", "two's", "shared"))
    await do("remove_user_from_all_groups", "two")
    seen["groups"].append(await exist("one's", "two's", "shared"))

    async def allowed():
        return [await do("has_permission", permission, one, target_name="room") for permission in ("sendToGroup", "joinLeaveGroup")]

    seen["permissions"] = [await allowed()]
    await do("grant_permission", "sendToGroup", one, target_name="room")
    seen["permissions"].append(await allowed())
    await do("revoke_permission", "sendToGroup", one, target_name="room")
    seen["permissions"].append(await allowed())

    text = {"content_type": "text/plain"}
    await do("send_to_all", "to user one", filter="userId eq 'one'", **text)
    await do("send_to_all", "to the others", excluded=[one, witness], **text)
    await do("send_to_user", "two", "to two", filter=f"connectionId eq '{two}'", **text)
    await do("send_to_user", "two", "to no one else", filter="connectionId eq 'unknown'", **text)
    await do("send_to_group", "closing", "to no member", excluded=[closing], **text)
    await do("send_to_group", "closing", "to a member", filter="'closing' in groups", **text)
    seen["filter"] = await refusal("send_to_all", "x", filter="ab eq 1", **text)

    await do("close_connection", one, reason="a reason")
    await do("close_user_connections", "two", excluded=[one])
    await do("close_group_connections", "closing", excluded=[witness], reason="another reason")
    await do("close_all_connections", excluded=[witness], reason="not for the witness")
    seen["left"] = [await do("connection_exists", connection) for connection in (one, two, closing, witness)]
    await do("close_all_connections", reason="the end")
    await do("close")
    print(json.dumps(seen))


asyncio.run(main())
