"""paho-mqtt with the thread of its own."""

import asyncio
from concurrent.futures import Future

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

import devices
from devices import Refused, address, as_bytes
from paho_properties import accepted, connack, cut, properties, publish_properties, received_properties


class Device(devices.Device):
    def __init__(self, name):
        super().__init__(name)
        self.waiting = {}
        self.early = {}

    async def connect(self, url, version, id="", clean=True, expiry=None, keepAlive=60, will=None, user=None, password=None, properties=None):
        host, port, path = address(url)
        self.version = version
        options = {"clean_session": clean} if version == 4 else {}
        protocol = paho.MQTTv5 if version == 5 else paho.MQTTv311
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, id, protocol=protocol, transport="websockets", reconnect_on_failure=False, **options
        )
        client.ws_set_options(path=path)
        client.on_connect = self.on_connect
        client.on_disconnect = self.on_disconnect
        client.on_message = self.on_message
        client.on_publish = lambda _client, _data, mid, reason, _properties: self.done(("publish", mid), reason.value)
        client.on_subscribe = lambda _client, _data, mid, reasons, _properties: self.done(("subscribe", mid), reasons[0].value)
        client.on_unsubscribe = lambda _client, _data, mid, reasons, _properties: self.done(
            ("unsubscribe", mid), reasons[0].value if reasons else 0
        )
        if user is not None:
            client.username_pw_set(user, password)
        if will is not None:
            topic, payload = will.pop("topic"), as_bytes(will.pop("payload"))
            qos, retain, delay = will.pop("qos", 0), will.pop("retain", False), will.pop("delay", None)
            made = publish_properties(version, will, PacketTypes.WILLMESSAGE, WillDelayInterval=delay)
            client.will_set(topic, payload, qos, retain, properties=made)
        self.client = client
        self.connected = Future()
        more = {}
        if version == 5:
            made = publish_properties(5, {"user": properties}, PacketTypes.CONNECT, SessionExpiryInterval=expiry)
            more = {"clean_start": clean or paho.MQTT_CLEAN_START_FIRST_ONLY if clean else False, "properties": made}
        await asyncio.to_thread(client.connect, host, port, keepAlive, **more)
        client.loop_start()
        return await asyncio.wrap_future(self.connected)

    async def reconnect(self):
        self.client.loop_stop()
        self.connected = Future()
        await asyncio.to_thread(self.client.reconnect)
        self.client.loop_start()
        return await asyncio.wrap_future(self.connected)

    def on_connect(self, _client, _data, flags, reason, made):
        if reason.is_failure:
            self.connected.set_exception(Refused(connack(self.version, reason)))
        else:
            self.connected.set_result(accepted(flags.session_present, made))

    def on_disconnect(self, _client, _data, flags, reason, _properties):
        if not self.connected.done():
            self.connected.set_exception(ConnectionError("closed before CONNACK"))
        self.left(reason.value if flags.is_disconnect_packet_from_server else None)

    def on_message(self, _client, _data, message):
        more = received_properties(message.properties if self.version == 5 else None)
        self.received(message.topic, message.payload, message.qos, dup=message.dup, retain=message.retain, **more)

    def done(self, key, code):
        if key in self.waiting:
            self.waiting.pop(key).set_result(code)
        else:
            self.early[key] = code

    async def outcome(self, key):
        """The code that came for this packet id, which may have come before its call returned."""
        if key in self.early:
            return self.early.pop(key)
        self.waiting[key] = Future()
        if key in self.early:
            return self.early.pop(key)
        return await asyncio.wrap_future(self.waiting[key])

    async def subscribe(self, topic, qos=0, id=None, noLocal=False):
        if self.version == 5:
            made = properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=id)
            _, mid = self.client.subscribe(topic, options=SubscribeOptions(qos=qos, noLocal=noLocal), properties=made)
        else:
            _, mid = self.client.subscribe(topic, qos)
        return await self.outcome(("subscribe", mid))

    async def unsubscribe(self, topic):
        _, mid = self.client.unsubscribe(topic)
        return await self.outcome(("unsubscribe", mid))

    async def publish(self, topic, payload, qos=0, retain=False, **more):
        info = self.client.publish(topic, as_bytes(payload), qos, retain, publish_properties(self.version, more))
        return await self.outcome(("publish", info.mid))

    async def disconnect(self, code=None):
        reason = ReasonCode(PacketTypes.DISCONNECT, identifier=code) if code is not None else None
        self.client.disconnect(reasoncode=reason)

    async def cut(self):
        cut(self.client)
