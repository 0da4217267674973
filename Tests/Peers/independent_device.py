#!/usr/bin/env python3
# A second implementation of a DAC/1 device, sharing no line with the first: it acts only on what its verifier let
# through, and signs everything it says. Needs cryptography and paho-mqtt, nothing else.

import argparse
import json
import os
import secrets
import signal
import socket
import ssl
import sys
import time

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

import dac_vectors
from dac_joining import KeySet, label, open_bundle
from dac_verifier import Duplicate, Policy, Rejected, Verifier
from dac_wire import Fault, dump, load, sign
from lifetime import watch_input

PING = "dac.ping"
CLIMATE = {"t_mC": ("integer", (5000, 35000), True), "mode": ("choice", ("off", "heat", "cool", "auto"), False)}

# What this maker builds: operations with arguments, the high-risk ones, the first state, and what an operation does.
MODELS = {
    "locks/demo-lock": {
        "operations": {"lock.lock": {}, "lock.unlock": {}}, "high": ["lock.unlock"], "state": {"lock": "locked"},
        "act": lambda state, op, args: state.update(lock={"lock.lock": "locked", "lock.unlock": "unlocked"}[op])},
    "thermostats/demo-thermostat": {
        "operations": {"climate.set": CLIMATE}, "high": [], "state": {"target_mC": 20000, "mode": "heat"},
        "act": lambda state, op, args: state.update(
            target_mC=args["t_mC"], **({"mode": args["mode"]} if "mode" in args else {}))},
}


def say(text):
    print(text, flush=True)


class Folder:
    """A device's files, readable by their owner only."""

    def __init__(self, path):
        self.path = path

    def has(self, name):
        return os.path.exists(os.path.join(self.path, name))

    def read(self, name):
        with open(os.path.join(self.path, name), "rb") as file:
            return file.read()

    def write(self, name, data):
        path = os.path.join(self.path, name)
        with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + ".new", path)

    def forget(self, name):
        if self.has(name):
            os.unlink(os.path.join(self.path, name))

    def create(self, profile):
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        self.write("identity.key", secrets.token_bytes(32))
        self.write("sealing.key", secrets.token_bytes(32))
        self.write("code", secrets.token_bytes(16))
        self.write("device.json", dump({"dev": "dev-" + secrets.token_hex(8), "profile": profile}))

    def identity(self):
        about = load(self.read("device.json"))
        return about["dev"], about["profile"], Ed25519PrivateKey.from_private_bytes(self.read("identity.key"))


def init(options):
    folder = Folder(options.dir)
    if not folder.has("device.json"):
        if options.profile not in MODELS:
            raise SystemExit(f"error: this maker builds {', '.join(MODELS)}")
        folder.create(options.profile)
    if not folder.has("code"):
        raise SystemExit("error: the device has joined a home already")
    device, profile, key = folder.identity()
    seal = X25519PrivateKey.from_private_bytes(folder.read("sealing.key")).public_key().public_bytes_raw()
    say(label(device, key.public_key().public_bytes_raw(), seal, folder.read("code"), profile))


class Device:
    """One boot of the device."""

    def __init__(self, folder):
        self.folder = folder
        device, profile, self.key = folder.identity()
        self.joined = load(folder.read("joined.json"))
        self.key_set = KeySet(folder.read("key-set.json"))
        self.model = MODELS[profile]
        self.state = dict(self.model["state"])
        policy = Policy({PING: {}, **self.model["operations"]}, self.model["high"])
        self.verifier = Verifier(
            self.joined["site"], device, self.joined["hub"], self.key_set.signers_for(device), policy)
        self.sequence = 0
        # Counts suspend, and never goes back.
        self.start = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self.keys_topic = f"dac/v1/{self.joined['site']}/keys"
        self.client = self._client(device)

    def _client(self, device):
        broker = self.joined["broker"]
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=broker["username"], protocol=mqtt.MQTTv5)
        client.username_pw_set(broker["username"], broker["password"])
        client.tls_set_context(ssl.create_default_context(cadata=broker["ca"]))
        client.will_set(self.verifier.topic("online"), b"offline", qos=1, retain=True)
        client.reconnect_delay_set(1, 30)
        client.on_connect, client.on_subscribe = self._connected, self._subscribed
        client.on_message = self._received
        client.on_disconnect = lambda *given: say(f"disconnected {given[3]}")
        client.on_socket_open = lambda _, __, opened: opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def run(self):
        broker = self.joined["broker"]

        def stop(*_):
            self.client.disconnect()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        watch_input(stop)
        # Clean start and no session expiry: what came while the device was away is gone.
        self.client.connect_async(broker["host"], broker["port"], keepalive=30, clean_start=True)
        self.client.loop_forever(retry_first_connection=True)

    def _uptime(self):
        return (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - self.start) // 1_000_000

    def _clock(self):
        now = int(time.time())
        # A clock older than the bundle is certainly wrong.
        return now if now >= self.joined["issued_at"] else None

    def _next(self):
        self.sequence += 1
        return self.sequence

    def _send(self, kind, topic, claims, retain=False):
        message = sign(kind, claims, self.key)
        self.client.publish(self.verifier.topic(topic), message, qos=1, retain=retain)
        return message

    def _connected(self, client, _, __, reason, ___):
        if reason.is_failure:
            say(f"refused by the broker: {reason}")
            return
        client.subscribe([
            (self.verifier.topic("cmd"), SubscribeOptions(qos=1, retainAsPublished=True)),
            (self.verifier.topic("chal"), SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True)),
            (self.keys_topic, SubscribeOptions(qos=1, retainAsPublished=True))])

    def _subscribed(self, client, _, __, reasons, ___):
        if any(reason.is_failure for reason in reasons):
            say(f"subscription refused: {[str(reason) for reason in reasons]}")
            return
        # The code has done its work once the credentials in its bundle have.
        self.folder.forget("code")
        say(f"connected session={self.verifier.session}")
        self._hello()
        self._report()
        client.publish(self.verifier.topic("online"), b"online", qos=1, retain=True)

    def _hello(self):
        verifier = self.verifier
        claims = {
            "v": 1, "iss": verifier.device, "aud": verifier.hub, "ses": verifier.session, "up": self._uptime(),
            "kv": verifier.signers.version, "last": verifier.counters, "caps": sorted(verifier.policy.operations),
            "fw": "independent-device 1", "seq": self._next()}
        if verifier.rejections:
            claims["rej"] = verifier.rejections
        self._send("hello", "hello", claims, retain=True)

    def _report(self):
        self._send("state", "state", {
            "v": 1, "iss": self.verifier.device, "ses": self.verifier.session, "seq": self._next(),
            "up": self._uptime(), "state": self.state}, retain=True)

    def _received(self, _, __, message):
        if message.topic == self.keys_topic:
            self._key_set(message.payload)
        elif message.topic == self.verifier.topic("chal"):
            self._challenge(message)
        else:
            self._command(message)

    def _key_set(self, document):
        try:
            following = self.key_set.follow(document)
        except Fault as fault:
            say(f"key set ignored: {fault}")
            return
        if following.version > self.key_set.version:
            self.folder.write("key-set.json", document)
            self.key_set = following
            self.verifier.signers = following.signers_for(self.verifier.device)
            say(f"key set version={following.version}")

    def _challenge(self, message):
        try:
            claims = self.verifier.answer_request(message.topic, message.retain, message.payload, self._uptime())
        except Fault as fault:
            say(f"challenge request ignored: {fault}")
            return
        self._send("chal", "chal", claims)

    def _command(self, message):
        try:
            command = self.verifier.receive(
                message.topic, message.retain, message.payload, self._uptime(), self._clock())
        except Duplicate as again:
            say("rejected DUP")
            if again.acknowledgement:
                self.client.publish(self.verifier.topic("ack"), again.acknowledgement, qos=1)
        except Rejected as rejection:
            say(f"rejected {rejection.code}")
            if rejection.answer:
                if rejection.code == "E_SES":
                    self._hello()
                self.sign_ack(rejection.answer, "rejected", code=rejection.code)
        else:
            op = command.claims["op"]
            if op != PING:
                self.model["act"](self.state, op, command.claims["args"])
            say(f"executed {op} ctr={command.claims['ctr']} state={json.dumps(self.state)}")
            self.sign_ack(command, "executed", None if op == PING else self.state)
            self._report()

    def sign_ack(self, command, status, result=None, code=None):
        """Answers a command, and keeps the answer for when it comes again."""
        claims = self.verifier.acknowledgement(command, self._next(), status, self._uptime(), result, code)
        self.verifier.remember(command, self._send("ack", "ack", claims))


def run(options):
    folder = Folder(options.dir)
    if not folder.has("joined.json"):
        if not options.join:
            raise SystemExit("error: the device has not joined a home\nhint: give --join FILE")
        device, _, key = folder.identity()
        with open(options.join, "rb") as file:
            claims = open_bundle(file.read(), folder.read("code"), key.public_key().public_bytes_raw(), device)
        folder.write("key-set.json", KeySet(claims["keys"].encode()).document)
        folder.write("joined.json", dump(
            {"site": claims["site"], "hub": claims["hub"], "broker": claims["broker"], "issued_at": claims["iat"]}))
    Device(folder).run()


def vectors(options):
    passed = failed = 0
    for file in options.files:
        for name, expected, got in dac_vectors.outcomes(file):
            if got == expected:
                passed += 1
            else:
                failed += 1
                say(f"FAIL {name} expected {expected} got {got}")
    say(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def main():
    os.umask(0o077)
    parser = argparse.ArgumentParser(description="An independent DAC/1 device.")
    commands = parser.add_subparsers(required=True)
    made = commands.add_parser("init", help="make a device and print its label")
    made.add_argument("--dir", required=True)
    made.add_argument("--profile", default="locks/demo-lock", help=" or ".join(MODELS))
    made.set_defaults(run=init)
    running = commands.add_parser("run", help="join the home, then verify, act and answer")
    running.add_argument("--dir", required=True)
    running.add_argument("--join", metavar="FILE")
    running.set_defaults(run=run)
    tested = commands.add_parser("vectors", help="run command vectors")
    tested.add_argument("files", nargs="+", metavar="FILE")
    tested.set_defaults(run=vectors)
    options = parser.parse_args()
    try:
        return options.run(options) or 0
    except (Fault, OSError) as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
