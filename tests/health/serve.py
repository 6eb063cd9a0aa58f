"""Serve an application of the documentation on loopback: `serve.py KIND MODULE:ATTRIBUTE`.

KIND: `asgi` (uvicorn), `wsgi` (wsgiref, with its validator of PEP 3333 around the application),
`wsgi-on-uvicorn` (uvicorn, through asgiref's adapter).
"""

from __future__ import annotations

import importlib
import socket
import sys
import warnings
from typing import Any


def on_uvicorn(app: Any) -> None:
    import uvicorn

    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("port", listener.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none")).run(sockets=[listener])


def on_wsgiref(app: Any) -> None:
    from wsgiref.simple_server import WSGIRequestHandler, make_server
    from wsgiref.validate import validator

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    with make_server("127.0.0.1", 0, validator(app), handler_class=Quiet) as server:
        print("port", server.server_port, flush=True)
        server.serve_forever()


def main(kind: str, target: str) -> None:
    module, _, attribute = target.partition(":")
    # Errors only for what is ours: how frameworks warn about each other is theirs.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = getattr(importlib.import_module(module), attribute)
        if kind == "wsgi-on-uvicorn":
            from asgiref.wsgi import WsgiToAsgi

            app = WsgiToAsgi(app)
    if kind == "wsgi":
        on_wsgiref(app)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            on_uvicorn(app)


if __name__ == "__main__":
    main(*sys.argv[1:])
