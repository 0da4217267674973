# What every run_*.py peer shares: loopback only, a free port, one JSON line that tells a client all it needs, and an
# end when standard input ends. The servers behind it are their authors' own, unchanged.

import argparse
import os
import signal
import socket
import threading

from werkzeug.serving import WSGIRequestHandler, make_server

from lifetime import watch_input
from serving import say

CLIENT_ID = "keyholder"
CLIENT_SECRET = "keyholderSecret0123456789"
# The person who may say yes; approve.py knows these.
PERSON = "demo"
PASSWORD = "demo-password-0123"


def arguments(description):
    """A parser with what each peer takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--redirect-uri", required=True, help="the only one that is registered, compared as text")
    parser.add_argument("--access-token-lifetime", type=int, default=3600, metavar="SECONDS")
    return parser


def listen():
    """A socket on a free loopback port, and the address that stands for it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def tell(peer, **about):
    """Prints the line that a client reads."""
    say(peer=peer, person=PERSON, password=PASSWORD, pid=os.getpid(), **about)


def on_end(stop):
    """Calls `stop` on SIGTERM, on SIGINT, and at the end of a piped standard input."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
    watch_input(stop)


class _Told(WSGIRequestHandler):
    """Says in one line what was asked and answered, without any parameter."""

    def log_request(self, code="-", size="-"):
        say(method=self.command, path=self.path.partition("?")[0], status=int(code))


def serve(application, listener, peer, **about):
    """Serves a WSGI application until the end; each request is one more line."""
    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=_Told, fd=listener.fileno())
    server.daemon_threads = True
    # shutdown() waits for the loop that a signal interrupts, so it needs a thread of its own.
    on_end(lambda: threading.Thread(target=server.shutdown, daemon=True).start())
    tell(peer, **about)
    server.serve_forever(poll_interval=0.05)
