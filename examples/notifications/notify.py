"""Sends a notification to one user, or to all."""

import argparse
from datetime import datetime, timezone

from azure.core.exceptions import AzureError

from service import service

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("text", help="what to say")
parser.add_argument("user", nargs="?", help="whom to say it to; all, if it is left out")
arguments = parser.parse_args()

notification = {"text": arguments.text, "at": datetime.now(timezone.utc).isoformat()}
try:
    if arguments.user:
        # Each of the user's pages receives it.
        service.send_to_user(arguments.user, notification)
    else:
        service.send_to_all(notification)
except AzureError as error:
    raise SystemExit(f"The service did not take it: {error}") from error
print("Sent.")
