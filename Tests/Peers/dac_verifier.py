# The checks run in the order DAC/1 prescribes and stop at the first that fails; a counter is burnt before the operation
# is looked up, so nothing is done twice.

import hmac

from dac_wire import Fault, b64, check, import_key, is_signed, kid_in, load, new_nonce, sha256, split

COMMAND = {
    "v": "one", "iss": "text", "aud": "text", "jti": "nonce", "ses": "nonce", "ctr": "positive", "iat": "count",
    "exp": "count", "due": "count", "kv": "count", "op": "text", "args": "object"}
OPTIONAL = {"chn": "text", "sub": "text", "ath": "text"}
REQUEST = {"v": "one", "iss": "text", "aud": "text", "non": "nonce"}
CHALLENGE_LIFE = 10_000
CHALLENGES_ALIVE = 8
NONCES_REMEMBERED = 32


class Signers:
    """Who may sign which operations for one device; `keys` maps a key id to (raw key, operations)."""

    def __init__(self, version, keys, revoked):
        self.version, self.revoked = version, set(revoked)
        self.operations = {kid: set(operations) for kid, (_, operations) in keys.items()}
        self.keys = {}
        for kid, (raw, _) in keys.items():
            try:
                self.keys[kid] = import_key(raw)
            except (Fault, ValueError):
                # Listed, but no signature of it is valid.
                self.keys[kid] = None

    def verify(self, kind, message):
        """Key id and claims' bytes of a message by a known signer."""
        head, payload, signature, signed = split(message)
        kid = kid_in(head, kind)
        if kid in self.revoked or kid not in self.keys:
            raise Fault("E_KID", kid)
        key = self.keys[kid]
        if key is None or len(signature) != 64 or not is_signed(key, signature, signed):
            raise Fault("E_SIG", kid)
        return kid, payload


class Policy:
    """What the device can do: `operations` maps a name to its arguments, name to (kind, bound, required)."""

    def __init__(self, operations, high, longest=30_000, longest_high=10_000, skew=5):
        self.operations, self.high = operations, set(high)
        self.longest, self.longest_high, self.skew = longest, longest_high, skew

    def accepts(self, op, args):
        declared = self.operations[op]
        for name, value in args.items():
            if name not in declared:
                return False
            kind, bound, _ = declared[name]
            if kind == "integer":
                if type(value) is not int or not bound[0] <= value <= bound[1]:
                    return False
            elif kind == "choice":
                if value not in bound or not isinstance(value, str):
                    return False
            elif not isinstance(value, bool):
                return False
        return all(name in args for name, (_, _, required) in declared.items() if required)


class Command:
    """A genuine command; `gap` is how many counters were skipped before it."""

    def __init__(self, kid, claims, message, gap):
        self.kid, self.claims, self.hash, self.gap = kid, claims, sha256(message), gap


class Rejected(Fault):
    """`answer` is the command a signed rejection answers, or None where silence is prescribed."""

    def __init__(self, code, answer=None):
        super().__init__(code)
        self.answer = answer


class Duplicate(Exception):
    """The same bytes again; `acknowledgement` is what was answered, or None."""

    def __init__(self, acknowledgement):
        super().__init__("DUP")
        self.acknowledgement = acknowledgement


class Verifier:
    """One session of one device; uptime in milliseconds, wall clock in seconds or None when it is not trusted."""

    def __init__(self, site, device, hub, signers, policy, session=None):
        self.site, self.device, self.hub = site, device, hub
        self.signers, self.policy = signers, policy
        self.session = session or new_nonce()
        self.counters, self.rejections = {}, {}
        # By key id: the hash of the last burnt command, and its acknowledgement.
        self.last = {}
        self.challenges, self.nonces = {}, []

    def topic(self, kind):
        return f"dac/v1/{self.site}/{self.device}/{kind}"

    def receive(self, topic, retained, message, uptime, clock):
        """The command to act on; raises Rejected or Duplicate. Its counter is burnt by then."""
        try:
            return self._receive(topic, retained, message, uptime, clock)
        except Rejected as fault:
            self.rejections[fault.code] = self.rejections.get(fault.code, 0) + 1
            raise

    def _receive(self, topic, retained, message, uptime, clock):
        try:
            kid, claims = self._authenticate(topic, retained, message)
        except Fault as fault:
            raise Rejected(fault.code) from None
        burnt = self.counters.get(kid, 0)
        is_next = claims["ses"] == self.session and claims["ctr"] > burnt
        command = Command(kid, claims, message, claims["ctr"] - burnt - 1 if is_next else 0)
        if claims["ses"] != self.session:
            raise Rejected("E_SES", command)
        if kid in self.last and self.last[kid][0] == command.hash:
            raise Duplicate(self.last[kid][1])
        if claims["ctr"] <= burnt:
            raise Rejected("E_CTR", command)
        code = self._too_late_or_early(claims, uptime, clock)
        if code:
            raise Rejected(code, command)
        self.counters[kid], self.last[kid] = claims["ctr"], (command.hash, None)
        code = self._not_allowed(kid, claims, uptime)
        if code:
            raise Rejected(code, command)
        return command

    def _authenticate(self, topic, retained, message):
        if topic != self.topic("cmd"):
            raise Fault("E_TOPIC", topic)
        if retained:
            raise Fault("E_RETAINED")
        kid, payload = self.signers.verify("cmd", message)
        claims = check(load(payload), COMMAND, OPTIONAL)
        if claims["aud"] != self.device:
            raise Fault("E_AUD")
        if claims["iss"] != self.hub:
            raise Fault("E_ISS")
        if claims["kv"] != self.signers.version:
            raise Fault("E_KV_OLD" if claims["kv"] < self.signers.version else "E_KV_NEW")
        return kid, claims

    def _too_late_or_early(self, claims, uptime, clock):
        longest = self.policy.longest_high if claims["op"] in self.policy.high else self.policy.longest
        if uptime > claims["due"]:
            return "E_EXPIRED"
        if claims["due"] - uptime > longest:
            return "E_TTL"
        if clock is not None:
            if clock > claims["exp"] + self.policy.skew:
                return "E_EXPIRED"
            if claims["iat"] > clock + self.policy.skew:
                return "E_FUTURE"
        return None

    def _not_allowed(self, kid, claims, uptime):
        op = claims["op"]
        if op not in self.policy.operations:
            return "E_OP"
        if op not in self.signers.operations[kid]:
            return "E_SCOPE"
        if op in self.policy.high and not self._consume(claims.get("chn"), uptime):
            return "E_CHAL"
        return None if self.policy.accepts(op, claims["args"]) else "E_ARGS"

    def _consume(self, challenge, uptime):
        self._forget_old(uptime)
        found = next(
            (alive for alive in self.challenges
             if hmac.compare_digest(alive.encode(), (challenge or "").encode())), None)
        return found is not None and self.challenges.pop(found) >= uptime

    def _forget_old(self, uptime):
        self.challenges = {chn: end for chn, end in self.challenges.items() if end >= uptime}

    def issue_challenge(self, uptime, challenge=None):
        """A challenge that the next high-risk command must carry."""
        self._forget_old(uptime)
        while len(self.challenges) >= CHALLENGES_ALIVE:
            del self.challenges[next(iter(self.challenges))]
        challenge = challenge or new_nonce()
        self.challenges[challenge] = uptime + CHALLENGE_LIFE
        return challenge

    def answer_request(self, topic, retained, message, uptime):
        """The claims that answer a challenge request of the hub; raises Fault, which is never answered."""
        if topic != self.topic("chal") or retained:
            raise Fault("E_TOPIC" if not retained else "E_RETAINED")
        _, payload = self.signers.verify("chal", message)
        claims = check(load(payload), REQUEST)
        if claims["aud"] != self.device or claims["iss"] != self.hub:
            raise Fault("E_AUD" if claims["aud"] != self.device else "E_ISS")
        if claims["non"] in self.nonces:
            raise Fault("E_CHAL", "request answered before")
        self.nonces = [*self.nonces, claims["non"]][-NONCES_REMEMBERED:]
        return {
            "v": 1, "iss": self.device, "aud": self.hub, "non": claims["non"], "ses": self.session,
            "chn": self.issue_challenge(uptime), "up": uptime, "ttl": CHALLENGE_LIFE}

    def acknowledgement(self, command, seq, status, uptime, result=None, code=None):
        """The claims of an acknowledgement."""
        result = dict(result or {})
        if code:
            result["code"] = code
        if command.gap:
            result["gap"] = command.gap
        return {
            "v": 1, "iss": self.device, "aud": command.claims["iss"], "cmd": b64(command.hash),
            "jti": command.claims["jti"], "ses": self.session, "ctr": command.claims["ctr"], "seq": seq,
            "st": status, "res": result, "up": uptime}

    def remember(self, command, message):
        """Keeps what a repetition of the command gets."""
        if self.last.get(command.kid, (None,))[0] == command.hash:
            self.last[command.kid] = (command.hash, message)
