"""The rotating provider of a sweep, and what processes print, to be waited for."""

import http.client
import json
import pathlib
import subprocess
import sys
import threading
import time

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent


class Unexpected(Exception):
    """Something outside what a sweep is about has gone wrong."""


class Lines:
    """Lines that a process prints, with the time each came."""

    def __init__(self, stream, parse=lambda line: line):
        self.items, self.changed, self.closed, self.parse = [], threading.Condition(), False, parse
        threading.Thread(target=self.read, args=(stream,), daemon=True).start()

    def read(self, stream):
        for line in stream:
            with self.changed:
                self.items.append((time.monotonic(), self.parse(line.rstrip("\n"))))
                self.changed.notify_all()
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def wait(self, wanted, start=0, patience=30.0):
        """The first item from `start` on that is wanted, as (place, time, item); None when there is none in time."""
        deadline = time.monotonic() + patience
        with self.changed:
            while True:
                while start < len(self.items):
                    when, item = self.items[start]
                    if wanted(item):
                        return start, when, item
                    start += 1
                left = deadline - time.monotonic()
                if self.closed or left <= 0:
                    return None
                self.changed.wait(left)

    def since(self, start):
        with self.changed:
            return [item for _, item in self.items[start:]]

    def __len__(self):
        with self.changed:
            return len(self.items)


class Provider:
    """The rotating provider, in a process of its own; its log is the truth the hub is held against."""

    def __init__(self, policy, life, delay, seed, grace=60):
        arguments = [sys.executable, str(CHECKOUT / "Tests/Peers/rotating_provider.py")]
        arguments += ["--policy", policy, "--life", str(life), "--delay", str(delay), "--seed", str(seed)]
        self.policy, self.life, self.grace, self.outage = policy, life, grace, 0
        self.process = subprocess.Popen(
            arguments + ["--grace", str(grace)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.log = Lines(self.process.stdout, json.loads)
        _, _, first = self.log.wait(lambda item: "port" in item)
        self.port, self.base = first["port"], first["base"]

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        data = json.loads(answer.read() or b"null")
        connection.close()
        return answer.status, data, answer.headers

    def set(self, **settings):
        self.ask("POST", "/admin", settings)

    def families(self):
        return {each["family"]: each for each in self.ask("GET", "/state")[1]}

    def honours(self, token):
        return self.ask("GET", "/resource", Authorization=f"Bearer {token}")[0] == 200

    def stop(self):
        self.process.kill()
        self.process.wait()
