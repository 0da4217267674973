# Loopback servers that a test needs around a browser: the app's own redirect target, and sites that mean harm. Each is
# an origin of its own.

import html
import queue
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 20


class _Server:
    def __init__(self, port):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = outer.answer(self.path)
                data = body.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class Landing(_Server):
    """An app's redirect target; every arrival is kept."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self._path, self._arrivals, self.count = parts.path, queue.SimpleQueue(), 0
        super().__init__(parts.port or 0)
        self.url = parts._replace(netloc=f"{parts.hostname}:{self.port}").geturl()

    def answer(self, target):
        parts = urllib.parse.urlsplit(target)
        if parts.path != self._path:
            return 404, ""
        self.count += 1
        self._arrivals.put(dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)))
        return 200, "<!doctype html><html lang=\"en\"><title>Landed</title><h1>Landed</h1></html>"

    def next(self):
        """The parameters of the next arrival; an OSError when none comes."""
        try:
            return self._arrivals.get(timeout=PATIENCE)
        except queue.Empty:
            raise OSError("the browser was not sent to the redirect target") from None


class HostileSite(_Server):
    """Pages somebody else wrote, on loopback: by number another origin of the same site, by name another site."""

    def __init__(self):
        self._pages = {}
        super().__init__(0)

    def answer(self, target):
        body = self._pages.get(target)
        return (404, "") if body is None else (200, body)

    def put(self, body, host="127.0.0.1"):
        """Serves a page and returns its address."""
        path = f"/{len(self._pages)}"
        self._pages[path] = f"<!doctype html><html lang=\"en\"><title>Hostile</title><body>{body}</body></html>"
        return f"http://{host}:{self.port}{path}"


def form(action, fields, method="post", kind="application/x-www-form-urlencoded", target=""):
    """A form that sends itself."""
    inputs = "".join(
        f"<input type=hidden name=\"{html.escape(name)}\" value=\"{html.escape(value)}\">"
        for name, value in fields.items())
    return (f"<form id=f method={method} enctype=\"{kind}\" action=\"{html.escape(action)}\" target=\"{target}\">"
            f"{inputs}</form><script>document.getElementById('f').submit()</script>")
