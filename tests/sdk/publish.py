"""Publishes one message over https with Microsoft's package, the blocking or the asynchronous one, and prints a client
URL that it makes.

Arguments: `sync` or `aio`, connection string, hub, and the certificate of the authority to trust.
"""

import asyncio
import inspect
import json
import os
import ssl
import sys

kind, connection_string, hub, authority = sys.argv[1:]
# What `requests` reads by itself.
os.environ["REQUESTS_CA_BUNDLE"] = authority

from azure.messaging.webpubsubservice import WebPubSubServiceClient
from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient as AsyncWebPubSubServiceClient

# As strict as Python 3.13 is by default.
strict = ssl.create_default_context(cafile=authority)
strict.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN

package, options = {
    "sync": (WebPubSubServiceClient, {}),
    "aio": (AsyncWebPubSubServiceClient, {"connection_verify": authority}),
}[kind]


async def done(result):
    return await result if inspect.isawaitable(result) else result


async def main():
    host, port = connection_string.split(";")[0].removeprefix("Endpoint=https://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=strict)
    writer.close()
    service = package.from_connection_string(connection_string, hub=hub, **options)
    await done(service.send_to_all("from Python", content_type="text/plain"))
    print(json.dumps((await done(service.get_client_access_token()))["url"]))
    await done(service.close())


asyncio.run(main())
