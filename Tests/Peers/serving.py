# A peer binds loopback only, says in one line where it listens, and never outlives the test that started it.

import argparse
import html
import json
import logging
import os
import signal
import sys
import threading

from flask import g, has_app_context, redirect, request
from werkzeug.serving import WSGIRequestHandler, make_server

from lifetime import watch_input

_output = threading.Lock()


def say(**members):
    """Prints one JSON line at once."""
    with _output:
        sys.stdout.write(json.dumps(members) + "\n")
        sys.stdout.flush()


def note(text):
    """Adds a reason to the log line of the request in hand."""
    if has_app_context():
        g.setdefault("notes", []).append(str(text))


def arguments(description, *names):
    """A parser for `--port` and the named required options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    for name in names:
        parser.add_argument(name, required=True)
    return parser


def consent_page(title, text):
    """A page with one form that comes back to its own address."""
    page = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>
<h1>{html.escape(title)}</h1><p>{html.escape(text)}</p>
<form method="post" action="{html.escape(request.full_path)}">
<button name="approve" value="1">Allow</button> <button name="deny" value="1">Do not allow</button></form></html>"""
    return page, 200, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}


def pin_page(verifier):
    """The page for out-of-band verification."""
    page = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Allowed</title>
<p>Type this where you came from:</p><p class="pin">{html.escape(verifier)}</p></html>"""
    return page, 200, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}


def decision():
    """`approve`, `deny`, or None while nobody has pressed a button."""
    for word in ("approve", "deny"):
        if request.values.get(word) == "1":
            return word
    return None


def redirect_refused(callback, query):
    """Sends the browser back with bad news."""
    return redirect(callback + ("&" if "?" in callback else "?") + query, 303)


class _Notes(logging.Handler):
    def emit(self, record):
        note(record.getMessage())


class _Quiet(WSGIRequestHandler):
    def log_request(self, code="-", size="-"):
        pass


def serve(app, port, *loggers, **about):
    """Serves until SIGTERM, SIGINT, or the end of a piped standard input; `loggers` explain refusals."""
    for name in loggers:
        logging.getLogger(name).setLevel(logging.DEBUG)
        logging.getLogger(name).addHandler(_Notes())
        logging.getLogger(name).propagate = False

    @app.after_request
    def log(response):
        line = {"method": request.method, "path": request.path, "status": response.status_code}
        if response.status_code >= 400:
            line["why"] = g.get("notes") or [response.get_data(as_text=True)[:300]]
        say(**line)
        return response

    @app.errorhandler(ValueError)
    def malformed(error):
        note(f"malformed request: {error}")
        return str(error), 400

    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True

    def stop(*_):
        # shutdown() waits for the loop that this signal interrupts, so it needs a thread of its own.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    watch_input(stop)
    say(port=server.server_port, base=f"http://127.0.0.1:{server.server_port}", pid=os.getpid(), **about)
    server.serve_forever(poll_interval=0.05)
