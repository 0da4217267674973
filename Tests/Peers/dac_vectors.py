# The vectors meet the verifier that guards the device, in the state they prescribe; nothing here decides by itself.

import json

from dac_verifier import Duplicate, Policy, Rejected, Signers, Verifier
from dac_wire import Fault, sha256, unb64

# In the vectors `lock.*` takes no arguments and `climate.set` these.
CLIMATE = {"t_mC": ("integer", (5000, 35000), True), "mode": ("choice", ("auto", "cool", "heat", "off"), False)}


def _hash(text):
    """A last message is written as itself or as its hash."""
    try:
        if len(unb64(text)) == 32:
            return unb64(text)
    except Fault:
        pass
    return sha256(text.encode())


def _verifier(state):
    policy = Policy(
        {op: CLIMATE if op == "climate.set" else {} for op in state["caps"]}, state["high"], state["max_ttl_ms"],
        state.get("max_ttl_high_ms", state["max_ttl_ms"]), state["skew"])
    keys = {kid: (unb64(entry["x"]), entry["ops"]) for kid, entry in state["keys"].items()}
    signers = Signers(state["kv"], keys, state["revoked"])
    verifier = Verifier(state["site"], state["dev"], state["hub"], signers, policy, state["ses"])
    verifier.counters = dict(state["last"])
    verifier.last = {kid: (_hash(text), None) for kid, text in state["lastmsg"].items()}
    for challenge in state["chal"]:
        verifier.issue_challenge(state["up_ms"], challenge)
    return verifier


def _outcome(verifier, state, delivery, topic):
    if isinstance(delivery, str):
        delivery = {"msg": delivery}
    clock = state["clock"] if state["clock_trusted"] else None
    try:
        verifier.receive(
            delivery.get("topic", topic), delivery.get("retain", False), delivery["msg"].encode(), state["up_ms"],
            clock)
    except Duplicate:
        return "DUP"
    except Rejected as rejection:
        return rejection.code
    return "OK"


def outcomes(path):
    """Name, expected and actual outcome of each command vector of a file."""
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    for vector in document.get("vectors", []):
        state = {**document["default_state"], **vector.get("state", {})}
        verifier = _verifier(state)
        for delivery in [*vector.get("pre", []), vector]:
            got = _outcome(verifier, state, delivery, document["topic"])
        yield vector["id"], vector["expect"], got
