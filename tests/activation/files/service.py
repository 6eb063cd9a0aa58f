"""The service of the test host: /health by grind_health, and the ways in which a service is ill.

Arguments: port, mode, role. REVISION says what it was deployed from.
"""

import os
import sys
import time
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from grind_health import DeploymentContext, Health
from grind_health.wsgi import HealthApp

port, mode, role = int(sys.argv[1]), sys.argv[2], sys.argv[3]
if mode == "crash":
    sys.exit(1)
revision = "0" * 40 if mode == "old" else os.environ["REVISION"]
context = DeploymentContext(
    instance_role=role,
    revision=revision,
    started_at=time.time() - 7200 if mode == "stale" else time.time(),
)
health = Health(context)
if mode == "sick":

    @health.check("database")
    def database():
        raise RuntimeError("no database")


def app(environ, start_response):
    if mode == "redirect":
        start_response("303 See Other", [("Location", "/login")])
        return [b""]
    if mode == "hang":
        time.sleep(3600)
    return HealthApp(health)(environ, start_response)


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


class Server(WSGIServer):
    allow_reuse_address = True


if mode == "dies":
    import threading

    threading.Timer(2.0, os._exit, (1,)).start()
server = Server(("127.0.0.1", port), Quiet)
server.set_app(app)
server.serve_forever()
