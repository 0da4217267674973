#!/usr/bin/env python3
"""A stand-in for one vendor's authorisation server, as odd and as strict as the vendor is said to be.

What a vendor would refuse is refused here: parameters in the wrong place, a missing extra one, the wrong proof of who
the client is, the wrong separator between scopes. The person says yes at once. Every vendor's host is the first part of
the path: https://api.vendor.example/token is http://127.0.0.1:PORT/api.vendor.example/token here. Standard output has
one JSON line with the base address, and after it one line for each request, without any token; `--log` writes the same
to a file. POST /standin/forget lets every grant die, as a person does who takes the access back; POST /standin/hasten
lets access tokens live an hour at most from then on, where the vendor's live for weeks.
"""

import argparse
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lifetime import watch_input
from standin_request import Answer, Asked, Refused


def vendor_classes():
    import standin_devices
    import standin_oauth1
    import standin_vendors

    modules = (standin_vendors, standin_devices, standin_oauth1)
    return {vendor.name: vendor for module in modules for vendor in module.VENDORS}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    vendor = None
    lock = threading.Lock()
    log = None

    def log_message(self, *_):
        pass

    def say(self, **members):
        line = json.dumps({"vendor": self.vendor.name, **members})
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        if self.log:
            self.log.write(line + "\n")
            self.log.flush()

    def asked(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return Asked(self.command, f"http://{self.headers['Host']}{self.path}", dict(self.headers.items()), body)

    def serve(self):
        asked = self.asked()
        with self.lock:
            try:
                if asked.method == "POST" and asked.place in ("standin/forget", "standin/hasten"):
                    asked.notes = {"action": asked.place.removeprefix("standin/")}
                    getattr(self.vendor, asked.notes["action"])()
                    answer = Answer(200, {})
                else:
                    answer = self.vendor.answer(asked)
            except Refused as refused:
                asked.notes["why"] = refused.why
                answer = refused.answer
            except ValueError as error:
                asked.notes["why"] = f"malformed: {error}"
                answer = Answer(400, {})
            self.say(method=asked.method, place=asked.place, status=answer.status, **asked.notes)
        data = answer.data
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = serve


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def main():
    vendors = vendor_classes()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vendor", required=True, choices=sorted(vendors))
    parser.add_argument("--redirect-uri", required=True, help="the one that is registered, compared as text")
    parser.add_argument("--log", help="a file for what is said on standard output after the first line")
    parser.add_argument("--interval", type=int, help="seconds between two questions, in the place of the vendor's")
    options = parser.parse_args()
    Handler.vendor = vendor = vendors[options.vendor](options.redirect_uri, options.interval)
    if options.log:
        Handler.log = open(options.log, "a", encoding="utf-8")
    server = Server(("127.0.0.1", 0), Handler)

    def stop(*_):
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    watch_input(stop)
    about = {"port": server.server_port, "base": f"http://127.0.0.1:{server.server_port}", "pid": os.getpid()}
    sys.stdout.write(json.dumps({**about, **vendor.registration()}) + "\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
