"""Clients of a Python library for MQTT, unmodified, as devices of the tests.

Reads calls as lines of JSON, `{"call": 1, "device": "a", "do": "connect", "with": {...}}`, and prints a line for each
answer, for each message that a device receives and for each end of a connection. Bytes are base64.
"""

import asyncio
import base64
import importlib
import json
import sys
import threading
from urllib.parse import urlsplit

LIBRARIES = ("paho", "aiomqtt", "amqtt")
PRINTING = threading.Lock()


class Refused(Exception):
    """A CONNACK with another code than 0."""

    def __init__(self, code):
        super().__init__(f"refused with {code}")
        self.code = code


def say(line):
    """Prints one line, whichever thread has it."""
    with PRINTING:
        print(json.dumps(line), flush=True)


def as_bytes(text):
    return base64.b64decode(text)


class Device:
    """What every library's device has in common: where it says what came of its connection."""

    def __init__(self, name):
        self.name = name

    def received(self, topic, payload, qos, **more):
        known = {name: value for name, value in more.items() if value is not None}
        if "correlation" in known:
            known["correlation"] = base64.b64encode(known["correlation"]).decode()
        payload = base64.b64encode(bytes(payload)).decode()
        say({"device": self.name, "message": {"topic": topic, "payload": payload, "qos": qos, **known}})

    def left(self, code=None):
        say({"device": self.name, "left": {"code": code}})


def address(url):
    """Host, port, and path with its query, of a client URL."""
    parts = urlsplit(url)
    return parts.hostname, parts.port, f"{parts.path}?{parts.query}"


async def answer(devices, make, line):
    """Carries one call out and prints its answer."""
    call = json.loads(line)
    device = devices.setdefault(call["device"], None) or make(call["device"])
    devices[call["device"]] = device
    try:
        result = await getattr(device, call["do"])(**call["with"])
        say({"call": call["call"], "result": result})
    except Refused as refused:
        say({"call": call["call"], "error": str(refused), "code": refused.code})
    except Exception as error:
        say({"call": call["call"], "error": f"{type(error).__name__}: {error}"})


async def main(library):
    make = importlib.import_module(f"with_{library}").Device
    devices, calls = {}, set()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        # A task that nothing refers to may be collected before it is done.
        task = loop.create_task(answer(devices, make, line))
        calls.add(task)
        task.add_done_callback(calls.discard)


if __name__ == "__main__":
    sys.modules["devices"] = sys.modules["__main__"]
    asyncio.run(main(LIBRARIES[LIBRARIES.index(sys.argv[1])]))
