"""amqtt's client, which knows 3.1.1 only and says neither whether a session was there nor what a PUBACK had."""

import asyncio
import logging

from amqtt.client import MQTTClient
from amqtt.errors import ConnectError

import devices
from devices import Refused, as_bytes

logging.disable()


class Device(devices.Device):
    async def connect(self, url, version, id="", clean=True, expiry=None, keepAlive=60, will=None, user=None, password=None, properties=None):
        config = {"auto_reconnect": False, "keep_alive": keepAlive, "reconnect_retries": 0, "plugins": {}}
        if will is not None:
            message = as_bytes(will["payload"]).decode()
            config["will"] = {"topic": will["topic"], "message": message, "qos": will.get("qos", 0), "retain": False}
        if user is not None:
            url = url.replace("://", f"://{user}:{password}@")
        self.client = MQTTClient(client_id=id, config=config)
        await self.accepted(self.client.connect(url, cleansession=clean))
        return {"session": None}

    async def reconnect(self):
        self.client.session.clean_session = False
        await self.accepted(self.client._do_connect())
        return {"session": None}

    async def accepted(self, connecting):
        try:
            await connecting
        except ConnectError as error:
            raise Refused(error.return_code) if error.return_code else error
        self.receiving = asyncio.create_task(self.receive())

    async def receive(self):
        try:
            while message := await self.client.deliver_message():
                packet = message.publish_packet
                self.received(message.topic, message.data, message.qos, dup=packet.dup_flag, retain=packet.retain_flag)
        except (asyncio.CancelledError, Exception):
            pass
        self.left()

    async def subscribe(self, topic, qos=0):
        return (await self.client.subscribe([(topic, qos)]))[0]

    async def unsubscribe(self, topic):
        await self.client.unsubscribe([topic])

    async def publish(self, topic, payload, qos=0):
        await self.client.publish(topic, as_bytes(payload), qos)

    async def disconnect(self):
        await self.client.disconnect()

    async def cut(self):
        self.client._handler.writer._protocol.transport.abort()
