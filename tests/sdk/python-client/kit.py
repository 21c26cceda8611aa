"""What the scripts here work with: clients of Microsoft's package, the blocking or the asynchronous one, and a server."""

import asyncio
import inspect
import queue

from azure.core.pipeline.policies import RetryMode
from azure.messaging import webpubsubclient
from azure.messaging.webpubsubclient import aio
from azure.messaging.webpubsubclient.models import CallbackType, WebPubSubProtocolType
from azure.messaging.webpubsubservice import WebPubSubServiceClient

LIMIT_SECONDS = 60
ALL_ROLES = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"]
TEXT = {"content_type": "text/plain"}


class Kit:
    """One of the packages with one of its protocols, and the hub that it talks to over a link, the server without."""

    def __init__(self, kind, protocol, hub, connection_string, over_link):
        self.package = {"sync": webpubsubclient, "aio": aio}[kind]
        self.is_reliable = protocol == WebPubSubProtocolType.JSON_RELIABLE
        self.protocol = WebPubSubProtocolType(protocol)
        self.service = WebPubSubServiceClient.from_connection_string(connection_string, hub=hub)
        self.over_link = WebPubSubServiceClient.from_connection_string(over_link, hub=hub)
        self.made = []

    def url(self, **token):
        return self.over_link.get_client_access_token(**{"roles": ALL_ROLES, **token})["url"]

    def credential(self, ask):
        """A credential that calls a function for every connection."""

        async def ask_async():
            return ask()

        return self.package.WebPubSubClientCredential(ask_async if self.package is aio else ask)

    async def make(self, credential, **options):
        """A client that is not open. It tries nothing twice unless the options say so."""
        soon = {"reconnect_retry_mode": RetryMode.Fixed, "reconnect_retry_backoff_factor": 0.01}
        logging = {"user_agent": "tests", "logging_enable": True}
        options = {"protocol_type": self.protocol, "message_retry_total": 0, **soon, **logging, **options}
        client = Client(self.package.WebPubSubClient(credential, **options), self.package is aio)
        for event, received in client.received.items():
            await client("subscribe", event, client.listener(received))
        self.made.append(client)
        return client

    async def open(self, credential, **options):
        client = await self.make(credential, **options)
        await client("open")
        connected = await client.next(CallbackType.CONNECTED)
        client.id, client.user_id = connected.connection_id, connected.user_id
        return client

    async def connect(self, **token):
        return await self.open(self.url(**token))

    async def close_all(self):
        await asyncio.gather(*(client("close") for client in self.made))


class Client:
    """A client of either package: `await client(method, …)` calls a method, `await client.next(event)` waits for one."""

    def __init__(self, client, is_async):
        self.client, self.is_async = client, is_async
        self.received = {event: queue.Queue() for event in CallbackType}

    async def __call__(self, method, *args, **options):
        result = getattr(self.client, method)(*args, **options)
        return await result if inspect.isawaitable(result) else result

    def listener(self, received):
        """A listener that keeps what it receives in a queue."""

        def listen(args=None):
            received.put(args)

        async def listen_async(args=None):
            received.put(args)

        return listen_async if self.is_async else listen

    async def next(self, event):
        """What is raised next. The blocking package raises everything in a thread of its own: in no certain order."""
        return await next_of(self.received[event], event.value)

    async def message(self, event):
        return in_json(await self.next(event))

    def unheard(self, event):
        """How many events were raised and not taken."""
        return self.received[event].qsize()

    async def error(self, method, *args, **options):
        """What a call raises."""
        try:
            await self(method, *args, **options)
        except Exception as error:
            return error


async def next_of(received, what):
    try:
        return await asyncio.to_thread(received.get, timeout=LIMIT_SECONDS)
    except queue.Empty:
        raise TimeoutError(f"never came: {what}") from None


def in_json(message):
    data = message.data
    words = {
        "group": getattr(message, "group", None),
        "from": getattr(message, "from_user_id", None),
        "type": message.data_type,
        "data": list(data) if isinstance(data, memoryview) else data,
        "number": message.sequence_id,
    }
    return {name: word for name, word in words.items() if word is not None}
