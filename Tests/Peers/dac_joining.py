# A device believes only the home whose bundle was made under its own label's code, and moves to another key set only
# when enough root keys signed the step.

import hmac
import re
import time

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dac_verifier import Signers
from dac_wire import (
    JOIN_LIMIT, KEYS_LIMIT, Fault, b64, check, header, import_key, is_signed, key_id, kid_in, load, sha256, split,
    unb64)

BUNDLE = {
    "v": "one", "site": "text", "hub": "text", "dev": "text", "broker": "object", "keys": "text", "ops": "texts",
    "iat": "count", "exp": "count", "jti": "nonce"}
BROKER = {"host": "text", "port": "positive", "ca": "text", "username": "text", "password": "text"}
KEY = {"kid": "text", "x": "text"}
NAME = re.compile(r"[a-z0-9-]{1,64}")


def label(device, public_key, sealing_key, code, profile):
    """What the device shows to whoever holds it in hand."""
    return (
        f"dac-label:v1?dev={device}&key={b64(public_key)}&seal={b64(sealing_key)}&code={b64(code)}"
        f"&profile={profile}")


def open_bundle(message, code, public_key, device, now=None):
    """The claims of a join bundle made for this device under its code."""
    head, payload, mac, signed = split(message, JOIN_LIMIT)
    if head != b'{"alg":"HS256","typ":"dac-join+jwt"}':
        raise Fault("E_HEADER", "join")
    key = HKDF(algorithm=SHA256(), length=32, salt=public_key, info=b"dac-join/1").derive(code)
    if not hmac.compare_digest(hmac.digest(key, signed, "sha256"), mac):
        raise Fault("E_SIG", "bundle is not for this label")
    claims = check(load(payload), BUNDLE)
    check(claims["broker"], BROKER)
    if claims["dev"] != device:
        raise Fault("E_AUD", claims["dev"])
    if not NAME.fullmatch(claims["site"]) or not NAME.fullmatch(claims["hub"]) or claims["broker"]["port"] > 65535:
        raise Fault("E_PAYLOAD", "site, hub or port")
    if (time.time() if now is None else now) > claims["exp"]:
        raise Fault("E_EXPIRED", "bundle")
    return claims


class KeySet:
    """A key set whose own root signed it; ``follow`` also asks the one before."""

    def __init__(self, document):
        if not 1 <= len(document) <= KEYS_LIMIT:
            raise Fault("E_SIZE", str(len(document)))
        outer = check(load(document), {"payload": "text", "signatures": "list"})
        self.payload = unb64(outer["payload"])
        self.document, self.hash = document, sha256(self.payload)
        claims = check(
            load(self.payload),
            {"ver": "positive", "root": "object", "signers": "list", "revoked": "texts", "prev": "text"})
        check(claims["root"], {"keys": "list", "threshold": "positive"})
        self.version, self.revoked = claims["ver"], claims["revoked"]
        self.threshold = claims["root"]["threshold"]
        self.roots = self._keys(claims["root"]["keys"], KEY)
        self.signers = self._keys(claims["signers"], {**KEY, "ops": "texts", "devs": "texts"})
        self.previous = unb64(claims["prev"])
        if self.threshold > len(self.roots) or len(self.previous) not in (0, 32):
            raise Fault("E_PAYLOAD", "threshold or prev")
        self.signatures = self._signatures(outer["signatures"])
        self.require(self)

    @staticmethod
    def _keys(entries, members):
        found = {}
        for entry in entries:
            check(entry, members)
            raw = unb64(entry["x"])
            import_key(raw)
            if entry["kid"] != key_id(raw) or entry["kid"] in found:
                raise Fault("E_PAYLOAD", f"key {entry['kid']}")
            found[entry["kid"]] = {**entry, "raw": raw}
        return found

    @staticmethod
    def _signatures(entries):
        found = {}
        for entry in entries[:33]:
            check(entry, {"protected": "text", "signature": "text"})
            kid = kid_in(unb64(entry["protected"]), "keys")
            if kid in found or len(found) == 32:
                raise Fault("E_PAYLOAD", "signatures")
            found[kid] = unb64(entry["signature"])
        return found

    def require(self, judge):
        """Refuses this set unless enough of the root keys of `judge` signed it, each counted once."""
        count = sum(
            kid in self.signatures and len(self.signatures[kid]) == 64 and is_signed(
                import_key(root["raw"]), self.signatures[kid],
                f"{b64(header('keys', kid))}.{b64(self.payload)}".encode())
            for kid, root in judge.roots.items())
        if count < judge.threshold:
            raise Fault("E_SIG", f"{count} of {judge.threshold} root keys")

    def follow(self, document):
        """The key set to trust from now on: a later one, or this one again."""
        following = KeySet(document)
        if following.hash != self.hash:
            if following.version <= self.version:
                raise Fault("E_KV_OLD", f"version {following.version}")
            if following.version == self.version + 1 and following.previous != self.hash:
                raise Fault("E_PAYLOAD", "prev names another document")
            following.require(self)
        return following

    def signers_for(self, device):
        mine = {
            kid: (signer["raw"], signer["ops"]) for kid, signer in self.signers.items()
            if "*" in signer["devs"] or device in signer["devs"]}
        return Signers(self.version, mine, self.revoked)
