"""Serves the page, and gives its clients the URLs that they connect with."""

import json
import os
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from service import service

# The client is WebAssembly, and its WebSocket leads to the service.
POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:; frame-ancestors 'none'"


class Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/negotiate":
            self.negotiate(parse_qs(url.query).get("user", [""])[0].strip())
        else:
            super().do_GET()

    def negotiate(self, user):
        # Here anyone may be anyone. An application asks its own sign-in who this is.
        if not user:
            self.send_error(HTTPStatus.UNAUTHORIZED, "Say who you are: /negotiate?user=NAME")
            return
        # Without roles: it receives what the server sends it, and may do nothing else.
        token = service.get_client_access_token(user_id=user, minutes_to_expire=60)
        body = json.dumps({"url": token["url"]}).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()


port = int(os.environ.get("PORT", "3003"))
handler = partial(Handler, directory=Path(__file__).parent / "public")
with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
    print(f"Alice's notifications are at http://localhost:{port}/?user=alice", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
