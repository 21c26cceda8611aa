#!/usr/bin/env bash
# Hub settings that Microsoft's management package for Python has read cannot be written back whole: not
# what `as_dict()` gives, and not what `serialize()` gives.
#
# The good guess: an object that was read from Azure's answer can be saved and given back. `as_dict()` is
# there for JSON, and the object has what its package does not know in `additional_properties`, so a
# script may read a hub, change one setting and put it.
#
# Seen with azure-mgmt-webpubsub 2.0.0 (the newest, which does not know the preview's
# `groupPresenceEvents`): `as_dict()` writes Python's names (`event_handlers`), which no version of the
# API has; `deserialize()` takes that dict back without an error, and the hub has no settings left.
# `serialize()` has the API's names, but leaves out what `additional_properties` holds: reading a hub and
# putting it takes the unknown settings away. `az` merges them into what it prints, so its output is the
# one that can be kept.
#
# Source: https://github.com/Azure/azure-sdk-for-python (sdk/webpubsub/azure-mgmt-webpubsub,
# _serialization.py: `as_dict`, `serialize`), https://github.com/Azure/azure-cli (azure-cli-core,
# commands/__init__.py: `remove_additional_prop_layer`).
set -euo pipefail

VERSION=2.0.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check "azure-mgmt-webpubsub==$VERSION" azure-common==1.1.28 azure-mgmt-core==1.6.0

cat >hub.py <<'PY'
import json
from azure.mgmt.webpubsub.models import WebPubSubHub

# Azure's answer to a GET of one hub.
wire = {
    "name": "chat",
    "properties": {
        "anonymousConnectPolicy": "allow",
        "eventHandlers": [
            {"urlTemplate": "https://a.example/", "groupPresenceEvents": {"eventNames": ["joined"], "groupFilters": ["room.*"]}}
        ],
    },
}
hub = WebPubSubHub.deserialize(wire)
handler = hub.properties.event_handlers[0]
for what, value in [
    ("additional_properties", handler.additional_properties),
    ("as_dict()", hub.as_dict()["properties"]),
    ("deserialize(as_dict())", WebPubSubHub.deserialize(hub.as_dict()).serialize()),
    ("serialize()", hub.serialize()["properties"]),
]:
    print(f"{what}: {json.dumps(value, sort_keys=True)}")
PY
python/bin/python hub.py >output

echo "azure-mgmt-webpubsub $VERSION"
cat output
grep -q '^additional_properties: {"groupPresenceEvents"' output
grep -q '^as_dict(): .*"event_handlers": \[{"url_template"' output
grep -qx 'deserialize(as_dict()): {"properties": {}}' output
grep -q '^serialize(): .*"eventHandlers": \[{"urlTemplate": "https://a.example/"}\]' output
echo "As described."
