"""The service, as the environment names it."""

import os
import sys

from azure.messaging.webpubsubservice import WebPubSubServiceClient

connection_string = os.environ.get("WEBPUBSUB_CONNECTION_STRING")
if not connection_string:
    sys.exit("Set WEBPUBSUB_CONNECTION_STRING to the service's connection string.")

service = WebPubSubServiceClient.from_connection_string(connection_string, hub="notifications")
