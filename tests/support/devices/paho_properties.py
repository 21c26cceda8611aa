"""Properties and codes of paho's packets, which aiomqtt has as well, by the tests' names."""

import os
import socket

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from devices import as_bytes

NAMES = {
    "contentType": "ContentType",
    "utf8": "PayloadFormatIndicator",
    "responseTopic": "ResponseTopic",
    "correlation": "CorrelationData",
    "user": "UserProperty",
    "expiry": "MessageExpiryInterval",
}

# What paho makes of the return codes of 3.1.1.
RETURN_CODES = {132: 1, 133: 2, 136: 3, 134: 4, 135: 5}


def properties(kind, **values):
    """Properties of a packet from the tests' names for them; None for none."""
    made = Properties(kind)
    for name, value in values.items():
        if value is None:
            continue
        if name == "correlation":
            value = as_bytes(value)
        if name == "utf8":
            value = int(value)
        if name == "user":
            value = [tuple(pair) for pair in value]
        setattr(made, NAMES.get(name, name), value)
    return made


def publish_properties(version, more, kind=PacketTypes.PUBLISH, **others):
    return properties(kind, **more, **others) if version == 5 else None


def received_properties(made):
    """What a PUBLISH had, by the tests' names."""
    if made is None:
        return {}
    found = {ours: getattr(made, theirs, None) for ours, theirs in NAMES.items()}
    if found["utf8"] is not None:
        found["utf8"] = bool(found["utf8"])
    return {**found, "ids": getattr(made, "SubscriptionIdentifier", None)}


def connack(version, reason):
    """The code of a CONNACK as it was on the wire."""
    value = reason if isinstance(reason, int) else reason.value
    return RETURN_CODES.get(value, value) if version == 4 else value


def accepted(session, made):
    """What a CONNACK says."""
    user = getattr(made, "UserProperty", None) if made else None
    assigned = getattr(made, "AssignedClientIdentifier", None) if made else None
    return {"session": session, "id": assigned, "user": user}


def cut(client):
    """Ends the transport of a paho client, without a DISCONNECT."""
    socket.socket(fileno=os.dup(client.socket().fileno())).shutdown(socket.SHUT_RDWR)
