"""A rotating OAuth 2 provider whose every decision can be counted afterwards.
Standard output is its log, one JSON object a line; tokens stand in it as SHA-256 only, the way the hub's own notes name
them. What it does to a refresh token that comes a second time is its policy:
  none    refresh tokens are never replaced
  grace   the immediate predecessor gives the same successor again for 60 s, until the successor was used
  strict  a token that was replaced ends everything that came of the same approval
"""

import argparse
import base64
import hashlib
import json
import os
import random
import secrets
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lifetime import watch_input


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


class Token:
    def __init__(self, family, generation):
        self.family, self.generation = family, generation
        self.successor = None
        self.replaced_at = None


class Family:
    """Everything that came of one approval."""

    def __init__(self, number, device):
        self.number, self.device = number, device
        self.dead = None
        self.newest = 0


class Provider:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.output = threading.Lock()
        self.refresh_tokens, self.access_tokens, self.codes, self.device_codes = {}, {}, {}, {}
        self.families = []
        # delay: seconds each way at most; hold: seconds that an answer stays on its way; fail, fail_revocations: how
        # often 503 is answered; secrets: the consumer's that count, all when None.
        self.settings = {"delay": options.delay, "hold": 0, "fail": 0, "fail_revocations": 0, "secrets": None}
        self.released = threading.Event()
        self.random = random.Random(options.seed)
        self.count = 0

    def say(self, **members):
        """Called with the lock held, so that the lines stand in the order of the decisions."""
        with self.output:
            self.count += 1
            sys.stdout.write(json.dumps({"n": self.count, "t": time.monotonic(), **members}) + "\n")
            sys.stdout.flush()

    def pause(self):
        """A way there and a way back that take their time, so that a crash finds a request on either."""
        bound = self.settings["delay"]
        if bound:
            with self.lock:
                length = self.random.uniform(0, bound)
            time.sleep(length)

    def begin(self, device):
        family = Family(len(self.families), device)
        self.families.append(family)
        return family

    def answer(self, family, generation, refresh_token):
        access_token = secrets.token_urlsafe(24)
        self.access_tokens[access_token] = (family, generation)
        reply = {"access_token": access_token, "token_type": "Bearer", "expires_in": self.options.life}
        if refresh_token:
            reply["refresh_token"] = refresh_token
        return reply, {"family": family.number, "generation": generation, "issued": digest(access_token)}

    def fresh(self, family, generation):
        token = secrets.token_urlsafe(24)
        self.refresh_tokens[token] = Token(family, generation)
        family.newest = generation
        return token

    def redeem(self, code, codes, action):
        family = codes.pop(code, None)
        if family is None:
            self.say(action=action, outcome="unknown")
            return 400, {"error": "invalid_grant"}
        reply, about = self.answer(family, 1, self.fresh(family, 1))
        self.say(action=action, outcome="issued", **about)
        return 200, reply

    def refresh(self, text):
        token = self.refresh_tokens.get(text)
        about = {"action": "refresh", "token": digest(text)}
        if token is None:
            self.say(**about, outcome="unknown")
            return 400, {"error": "invalid_grant"}
        family = token.family
        about |= {"family": family.number, "presented": token.generation}
        if family.dead:
            self.say(**about, outcome="dead", why=family.dead)
            return 400, {"error": "invalid_grant"}
        if self.settings["fail"] > 0:
            self.settings["fail"] -= 1
            self.say(**about, outcome="failed")
            return 503, {"error": "temporarily_unavailable"}
        if self.options.policy == "none":
            family.newest += 1
            reply, issued = self.answer(family, family.newest, None)
            self.say(**{**about, "outcome": "kept", **issued})
            return 200, reply
        if token.successor is None:
            token.successor, token.replaced_at = self.fresh(family, token.generation + 1), time.monotonic()
            outcome = "rotated"
        else:
            next_one = self.refresh_tokens[token.successor]
            in_grace = time.monotonic() - token.replaced_at <= self.options.grace and next_one.successor is None
            if self.options.policy == "strict" or not in_grace:
                family.dead = "reuse" if next_one.successor is None else "reuse of a token whose successor was used"
                self.say(**about, outcome="killed", why=family.dead)
                return 400, {"error": "invalid_grant"}
            outcome = "again"
        reply, issued = self.answer(family, token.generation + 1, token.successor)
        self.say(**{**about, "outcome": outcome, **issued})
        return 200, reply

    def revoke(self, text):
        if self.settings["fail_revocations"] > 0:
            self.settings["fail_revocations"] -= 1
            self.say(action="revoke", outcome="failed")
            return 503, {"error": "temporarily_unavailable"}
        token = self.refresh_tokens.get(text)
        family = token.family if token else self.access_tokens.get(text, (None, 0))[0]
        if family is not None and not family.dead:
            family.dead = "revoked"
        self.say(action="revoke", family=None if family is None else family.number)
        return 200, {}

    def state(self):
        return [
            {"family": each.number, "device": each.device, "dead": each.dead, "newest": each.newest}
            for each in self.families
        ]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    provider = None

    def log_message(self, *_):
        pass

    def reply(self, status, body, **headers):
        data = json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            # Whoever asked has been killed.
            self.close_connection = True

    def form(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return data, dict(urllib.parse.parse_qsl(data.decode()))

    def do_GET(self):
        provider = self.provider
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/state":
            with provider.lock:
                self.reply(200, provider.state())
        elif url.path == "/resource":
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            with provider.lock:
                family, generation = provider.access_tokens.get(token, (None, 0))
                lives = family is not None and not family.dead
                provider.say(action="resource", lives=lives, generation=generation)
            about = {"family": family.number, "generation": generation} if family else {}
            self.reply(200 if lives else 401, about)
        elif url.path == "/authorize":
            with provider.lock:
                family = provider.begin(query.get("scope", ""))
                code = secrets.token_urlsafe(18)
                provider.codes[code] = family
            back = urllib.parse.urlencode({"code": code, "state": query.get("state", "")})
            self.reply(303, {"family": family.number}, Location=query["redirect_uri"] + "?" + back)
        else:
            self.reply(404, {})

    def do_POST(self):
        provider = self.provider
        data, form = self.form()
        path = urllib.parse.urlsplit(self.path).path
        if path == "/admin":
            with provider.lock:
                provider.settings |= json.loads(data)
            if not provider.settings["hold"]:
                provider.released.set()
            else:
                provider.released.clear()
            return self.reply(200, provider.settings)
        provider.pause()
        hold = provider.settings["hold"]
        with provider.lock:
            status, body = self.decide(path, form)
            if hold:
                provider.say(action="holding", path=path)
        if hold:
            # What was decided is on its way and takes long.
            provider.released.wait(hold)
        provider.pause()
        self.reply(status, body)

    def knows_consumer(self):
        """Whether the consumer's secret, sent as Basic, is one that counts."""
        secrets_that_count = self.provider.settings["secrets"]
        if secrets_that_count is None:
            return True
        sent = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic "))
        return sent.decode().partition(":")[2] in secrets_that_count

    def decide(self, path, form):
        provider = self.provider
        if not self.knows_consumer():
            provider.say(action="consumer", outcome="unknown")
            return 401, {"error": "invalid_client"}
        if path == "/revoke":
            return provider.revoke(form.get("token", ""))
        if path == "/device_authorization":
            code = secrets.token_urlsafe(18)
            provider.device_codes[code] = family = provider.begin(form.get("scope", ""))
            provider.say(action="device_authorization", family=family.number)
            return 200, {
                "device_code": code,
                "user_code": secrets.token_hex(4).upper(),
                "verification_uri": f"http://{self.headers['Host']}/device",
                "expires_in": 600,
                "interval": 1,
            }
        if path != "/token":
            return 404, {}
        kind = form.get("grant_type", "")
        if kind == "authorization_code":
            return provider.redeem(form.get("code", ""), provider.codes, "code")
        if kind.endswith(":device_code"):
            return provider.redeem(form.get("device_code", ""), provider.device_codes, "device_code")
        if kind == "refresh_token":
            return provider.refresh(form.get("refresh_token", ""))
        return 400, {"error": "unsupported_grant_type"}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument("--policy", choices=("none", "grace", "strict"), default="strict")
    parser.add_argument("--life", type=int, default=3, help="seconds that an access token lives")
    parser.add_argument("--grace", type=float, default=60)
    parser.add_argument("--delay", type=float, default=0.005, help="seconds each way, at most")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    Handler.provider = provider = Provider(options)
    server = Server(("127.0.0.1", options.port), Handler)

    def stop(*_):
        os._exit(0)

    watch_input(stop)
    provider.say(port=server.server_port, base=f"http://127.0.0.1:{server.server_port}", pid=os.getpid())
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
