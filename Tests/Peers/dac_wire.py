# Written from the protocol's text alone, so that it can disagree with the other implementation: bytes become claims
# only in the one spelling that DAC/1 allows, and only under a key that passed the import checks.

import base64
import hashlib
import json
import re
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MESSAGE_LIMIT, KEYS_LIMIT, JOIN_LIMIT = 2048, 16384, 32768
INTEGER_LIMIT = 1 << 53
DEPTH_LIMIT = 16

_PRIME = 2**255 - 19
_D = -121665 * pow(121666, -1, _PRIME) % _PRIME


class Fault(Exception):
    """Why a message is not believed; `code` is the word for the wire where there is one."""

    def __init__(self, code, detail=""):
        super().__init__(f"{code} {detail}".strip())
        self.code = code


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    """Strict base64url: no padding, no foreign letter, no stray trailing bits."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Fault("E_FORMAT", "base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64(data) != text:
        raise Fault("E_FORMAT", "base64url trailing bits")
    return data


def new_nonce():
    return b64(secrets.token_bytes(16))


def sha256(data):
    return hashlib.sha256(data).digest()


def dump(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def load(data):
    """Strict JSON: UTF-8, no member twice, integers in [0, 2^53) only, no lone surrogate, bounded depth."""

    def pairs(members):
        if len({name for name, _ in members}) != len(members):
            raise ValueError("member twice")
        return dict(members)

    def refuse(text):
        raise ValueError(f"number {text[:20]}")

    def integer(text):
        number = int(text)
        if not 0 <= number < INTEGER_LIMIT:
            refuse(text)
        return number

    def walk(value, depth):
        if isinstance(value, str):
            value.encode()
        elif isinstance(value, (dict, list)):
            if depth == DEPTH_LIMIT:
                raise ValueError("too deep")
            for part in list(value) + list(value.values()) if isinstance(value, dict) else value:
                walk(part, depth + 1)

    try:
        value = json.loads(
            data.decode(), object_pairs_hook=pairs, parse_float=refuse, parse_constant=refuse, parse_int=integer)
        walk(value, 0)
    except (ValueError, RecursionError) as error:
        raise Fault("E_PAYLOAD", str(error)) from None
    return value


def _is_nonce(value):
    try:
        return len(unb64(value)) == 16
    except Fault:
        return False


KINDS = {
    "text": lambda value: isinstance(value, str),
    "nonce": _is_nonce,
    "count": lambda value: type(value) is int,
    "positive": lambda value: type(value) is int and value > 0,
    "one": lambda value: type(value) is int and value == 1,
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "texts": lambda value: isinstance(value, list) and all(isinstance(part, str) for part in value),
}


def check(value, required, optional=None):
    """Refuses an object unless it has exactly the members that are named, each of its kind."""
    optional = optional or {}
    if not isinstance(value, dict):
        raise Fault("E_PAYLOAD", "not an object")
    for name in required.keys() - value.keys():
        raise Fault("E_PAYLOAD", f"{name} missing")
    for name, part in value.items():
        kind = required.get(name) or optional.get(name)
        if kind is None or not KINDS[kind](part):
            raise Fault("E_PAYLOAD", f"{name} is not {kind or 'known'}")
    return value


def _double(point):
    x, y = point
    product = _D * x * x * y * y % _PRIME
    return (2 * x * y * pow(1 + product, -1, _PRIME) % _PRIME, (y * y + x * x) * pow(1 - product, -1, _PRIME) % _PRIME)


def _is_small_order(y):
    """Whether eight times the point with this y is the neutral element; x and −x have the same order."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _PRIME) % _PRIME
    x = pow(square, (_PRIME + 3) // 8, _PRIME)
    if (x * x - square) % _PRIME:
        x = x * pow(2, (_PRIME - 1) // 4, _PRIME) % _PRIME
    if (x * x - square) % _PRIME:
        raise Fault("E_SIG", "key is not on the curve")
    point = (x, y)
    for _ in range(3):
        point = _double(point)
    return point == (0, 1)


def import_key(raw):
    """An Ed25519 public key: 32 bytes, canonical, on the curve, not of small order."""
    if len(raw) != 32:
        raise Fault("E_SIG", "key length")
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    if y >= _PRIME or _is_small_order(y):
        raise Fault("E_SIG", "key not canonical or of small order")
    return Ed25519PublicKey.from_public_bytes(raw)


def key_id(raw):
    """First eight bytes of the RFC 7638 thumbprint."""
    return b64(sha256(dump({"crv": "Ed25519", "kty": "OKP", "x": b64(raw)}))[:8])


def is_signed(key, signature, data):
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def header(kind, kid):
    return f'{{"alg":"Ed25519","kid":"{kid}","typ":"dac-{kind}+jwt"}}'.encode()


def kid_in(data, kind):
    """The key id of a protected header that is byte for byte what it must be."""
    found = re.fullmatch(rb'\{"alg":"Ed25519","kid":"([A-Za-z0-9_-]{11})".*', data, re.DOTALL)
    kid = found.group(1).decode() if found else ""
    if data != header(kind, kid) or not kid:
        raise Fault("E_HEADER", kind)
    return kid


def split(message, limit=MESSAGE_LIMIT):
    """Header, payload, signature and what was signed, of a JWS in compact form."""
    if not 1 <= len(message) <= limit:
        raise Fault("E_SIZE", str(len(message)))
    try:
        parts = message.decode("ascii").split(".")
    except UnicodeDecodeError:
        raise Fault("E_FORMAT", "not ASCII") from None
    if len(parts) != 3:
        raise Fault("E_FORMAT", f"{len(parts)} segments")
    head, payload, signature = (unb64(part) for part in parts)
    return head, payload, signature, f"{parts[0]}.{parts[1]}".encode()


def sign(kind, claims, key):
    """A compact message signed with an Ed25519 private key."""
    raw = key.public_key().public_bytes_raw()
    data = f"{b64(header(kind, key_id(raw)))}.{b64(dump(claims))}".encode()
    message = data + b"." + b64(key.sign(data)).encode()
    if len(message) > MESSAGE_LIMIT:
        raise Fault("E_SIZE", str(len(message)))
    return message
