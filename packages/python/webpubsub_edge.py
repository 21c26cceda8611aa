"""The emulator for tests in Python: copy this file beside them. It needs the npm package `webpubsub-edge`.

    from webpubsub_edge import emulator

    with emulator() as service:
        client = WebPubSubServiceClient.from_connection_string(service.connection_string, hub="chat")
"""

import json
import os
import secrets
import subprocess
import tempfile
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Iterator, Mapping, Optional, Sequence


@dataclass(frozen=True)
class Service:
    """A running service: its URL by http, its access key, and both as a connection string."""

    endpoint: str
    access_key: str
    connection_string: str


@contextmanager
def emulator(
    *,
    hubs: Optional[Mapping[str, object]] = None,
    variables: Optional[Mapping[str, object]] = None,
    command: Sequence[str] = ("npx", "webpubsub-edge"),
) -> Iterator[Service]:
    """Starts the service at a free port, with a state and a key of its own, which are gone with it.

    `hubs` are the settings of hubs by their names, `variables` those of the service, and `command` starts the command
    line. Raises RuntimeError, with what the service said, where it does not start.
    """
    key = secrets.token_urlsafe(48)
    with tempfile.TemporaryDirectory(prefix="webpubsub-edge-", ignore_cleanup_errors=True) as folder:
        args = [*command, "serve", "--json", "--port", "0", "--state", str(Path(folder, "state"))]
        for name, value in {"ALLOW_PRIVATE_EVENT_HANDLERS": "on", **(variables or {})}.items():
            args += ["--var", f"{name}={value}"]
        if hubs is not None:
            settings = Path(folder, "settings.json")
            settings.write_text(json.dumps({"hubs": hubs}), encoding="utf-8")
            args += ["--settings", str(settings)]
        environment = {**os.environ, "WEBPUBSUB_ACCESS_KEY": key, "WEBPUBSUB_ACCESS_KEY_SECONDARY": ""}
        process = subprocess.Popen(
            args,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=environment,
        )
        try:
            endpoint = _ready(process)
            # What it goes on to say is read, so that it never waits for that.
            Thread(target=deque, args=(process.stdout, 0), daemon=True).start()
            yield Service(endpoint, key, f"Endpoint={endpoint};AccessKey={key};Version=1.0;")
        finally:
            process.terminate()
            process.wait()


def _ready(process: subprocess.Popen) -> str:
    """Where the service says that it is reached, in its line of JSON."""
    said = []
    for line in process.stdout:
        if line.startswith('{"endpoint":'):
            return json.loads(line)["endpoint"]
        said.append(line)
    raise RuntimeError(f"The emulator ended with exit code {process.wait()} before it was ready.\n{''.join(said)}")
