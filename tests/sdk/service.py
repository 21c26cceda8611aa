"""What a Python server does with Microsoft's package. Prints what it saw, as JSON, for the test to judge.

Arguments: connection string, hub, id of a connection of the user alice that is a member of the group room.
"""

import json
import sys

from azure.core.exceptions import HttpResponseError
from azure.messaging.webpubsubservice import WebPubSubServiceClient

connection_string, hub, connection_id = sys.argv[1:]
service = WebPubSubServiceClient.from_connection_string(connection_string, hub=hub)

service.send_to_all("Hello World", content_type="text/plain")
service.send_to_all({"order": 42})
service.send_to_user("alice", "to alice", content_type="text/plain")
service.send_to_connection(connection_id, b"\x01\x02", content_type="application/octet-stream")
service.send_to_group("room", "to the room", content_type="text/plain")

seen = {
    "connection_exists": [service.connection_exists(connection_id), service.connection_exists("unknown")],
    "user_exists": [service.user_exists("alice"), service.user_exists("bob")],
    "group_exists": [service.group_exists("room"), service.group_exists("other")],
    "token": service.get_client_access_token(
        user_id="carol", roles=["webpubsub.joinLeaveGroup"], groups=["python"], minutes_to_expire=5
    ),
    "mqtt": service.get_client_access_token(
        user_id="dave", roles=["webpubsub.joinLeaveGroup"], groups=["python"], client_protocol="MQTT"
    ),
}

stranger = WebPubSubServiceClient.from_connection_string(
    connection_string.replace("AccessKey=", "AccessKey=not"), hub=hub
)
try:
    stranger.user_exists("alice")
except HttpResponseError as error:
    seen["stranger"] = error.status_code

print(json.dumps(seen))
