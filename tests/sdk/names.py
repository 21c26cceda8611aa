"""What a Python server finds of users and groups of any name with Microsoft's package, as JSON for the test to judge.

Arguments: connection string, hub, the names, and the ids of their connections; `null` for these asks for client URLs.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from azure.messaging.webpubsubservice import WebPubSubServiceClient

connection_string, hub, names, ids = sys.argv[1:]
names, ids = json.loads(names), json.loads(ids)
service = WebPubSubServiceClient.from_connection_string(connection_string, hub=hub)
TEXT = {"content_type": "text/plain"}


def url(name):
    return service.get_client_access_token(user_id=name, groups=[name], roles=[f"webpubsub.joinLeaveGroup.{name}"])["url"]


def quoted(name):
    return "'" + name.replace("'", "''") + "'"


def found(name, connection):
    seen = {"user": service.user_exists(name), "group": service.group_exists(name)}
    service.send_to_user(name, "to the user", **TEXT)
    service.send_to_group(name, "to the group", **TEXT)
    service.send_to_all("to who matches", filter=f"userId eq {quoted(name)} and {quoted(name)} in groups", **TEXT)
    service.revoke_permission("sendToGroup", connection, target_name=name)
    seen["revoked"] = service.has_permission("sendToGroup", connection, target_name=name)
    service.grant_permission("sendToGroup", connection, target_name=name)
    seen["granted"] = service.has_permission("sendToGroup", connection, target_name=name)
    service.remove_user_from_group(name, name)
    seen["removed"] = service.group_exists(name)
    service.add_user_to_group(name, name)
    seen["added"] = service.group_exists(name)
    seen["members"] = [[member.connection_id, member.user_id] for member in service.list_connections(group=name)]
    service.close_user_connections(name, reason=f"for {name}")
    seen["closed"] = service.user_exists(name)
    return seen


with ThreadPoolExecutor(8) as pool:
    results = pool.map(found, names, ids) if ids else pool.map(url, names)
    print(json.dumps(list(results)))
