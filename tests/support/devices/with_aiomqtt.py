"""aiomqtt."""

import asyncio

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

import devices
from devices import Refused, address, as_bytes
from paho_properties import connack, cut, properties, publish_properties, received_properties


class Device(devices.Device):
    async def connect(self, url, version, id="", clean=True, expiry=None, keepAlive=60, will=None, user=None, password=None, properties=None):
        host, port, path = address(url)
        self.version = version
        options = {"clean_session": clean}
        if version == 5:
            made = publish_properties(5, {"user": properties}, PacketTypes.CONNECT, SessionExpiryInterval=expiry)
            options = {"clean_start": clean, "properties": made}
        if will is not None:
            topic, payload = will.pop("topic"), as_bytes(will.pop("payload"))
            qos, retain, delay = will.pop("qos", 0), will.pop("retain", False), will.pop("delay", None)
            made = publish_properties(version, will, PacketTypes.WILLMESSAGE, WillDelayInterval=delay)
            will = aiomqtt.Will(topic, payload, qos, retain, made)
        self.options = {
            "hostname": host,
            "port": port,
            "transport": "websockets",
            "websocket_path": path,
            "identifier": id,
            "protocol": aiomqtt.ProtocolVersion.V5 if version == 5 else aiomqtt.ProtocolVersion.V311,
            "keepalive": keepAlive,
            "will": will,
            "username": user,
            "password": password,
            "timeout": 60,
            **options,
        }
        return await self.connected()

    async def reconnect(self):
        self.options["clean_start" if self.version == 5 else "clean_session"] = False
        return await self.connected()

    async def connected(self):
        self.client = aiomqtt.Client(**self.options)
        ready = asyncio.get_running_loop().create_future()
        self.running = asyncio.create_task(self.run(ready))
        # Whether a session was there and which id was assigned it does not say.
        return await ready or {"session": None}

    async def run(self, ready):
        try:
            async with self.client:
                ready.set_result(None)
                async for message in self.client.messages:
                    more = received_properties(message.properties if self.version == 5 else None)
                    self.received(message.topic.value, message.payload, message.qos, retain=message.retain, **more)
        except aiomqtt.MqttError as error:
            if not ready.done():
                reason = getattr(error, "rc", None)
                ready.set_exception(error if reason is None else Refused(connack(self.version, reason)))
        self.left()

    async def subscribe(self, topic, qos=0, id=None, noLocal=False):
        if self.version == 5:
            made = properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=id)
            codes = await self.client.subscribe(topic, options=SubscribeOptions(qos=qos, noLocal=noLocal), properties=made)
        else:
            codes = await self.client.subscribe(topic, qos)
        return codes[0] if isinstance(codes[0], int) else codes[0].value

    async def unsubscribe(self, topic):
        await self.client.unsubscribe(topic)

    async def publish(self, topic, payload, qos=0, retain=False, **more):
        await self.client.publish(topic, as_bytes(payload), qos, retain, publish_properties(self.version, more))

    async def disconnect(self):
        self.running.cancel()
        try:
            await self.running
        except asyncio.CancelledError:
            self.left()

    async def cut(self):
        cut(self.client._client)
