"""What a sweep knows and what it concludes: the provider's log and what crashes left, held against the promises."""

import collections
import hashlib
import threading
import time

# A loss has to be told to the owner within so many seconds of the restart.
TOLD_WITHIN = 10.0


class Ledger:
    """Collects over a whole sweep; every count that must be 0 is a list of cases, so that it can be looked at."""

    def __init__(self, home):
        self.home, self.provider = home, home.provider
        self.crashes = []
        self.first_seen = {}
        self.lost_by_crash = collections.Counter()
        self.lost, self.silent, self.needless, self.late = [], [], [], []
        self.acknowledged, self.acknowledged_lost = {}, []
        self.unprotected = []
        self.starts, self.recoveries, self.first_requests, self.told = [], [], [], []
        self.lock = threading.Lock()
        self.replaced = set()

    def acknowledge(self, token):
        """A local program was given this access token."""
        with self.lock:
            self.acknowledged[hashlib.sha256(token.encode()).hexdigest()] = True

    def issued(self):
        return {
            item["issued"]: (item["family"], item["generation"])
            for item in self.provider.log.since(0)
            if "issued" in item
        }

    def crashed(self, vault):
        """Takes in what a crash left on the disk; returns the grants that the next start has to finish."""
        at = time.monotonic()
        unanswered = {token for _, token, has_reply in vault.intents.values() if not has_reply}
        answered = {token for _, token, has_reply in vault.intents.values() if has_reply}
        number = len(self.crashes)
        self.crashes.append((at, unanswered, answered))
        for token in unanswered:
            self.first_seen.setdefault(token, number)
        held = {self.home.families[grant]: row for grant, row in vault.grants.items() if grant in self.home.families}
        open_for = {self.home.families.get(grant) for grant in vault.intents}
        if self.provider.policy != "none":
            self.check_acknowledged(held, number)
            for family, about in self.provider.families().items():
                if family not in held or held[family][0] != "active" or about["dead"] or family in open_for:
                    continue
                if about["newest"] > held[family][1]:
                    # Rotated at the provider, and nothing on the disk says that anything was sent.
                    self.unprotected.append({"crash": number, "family": family, "held": held[family][1], **about})
        return [grant for grant in vault.intents if vault.grants[grant][0] == "active"]

    def restart(self, **how):
        """Starts the daemon anew between two tries; that it is killed for it is a crash like any other."""
        self.home.kill()
        self.crashed(self.home.vault())
        self.home.start(**how)

    def check_acknowledged(self, held, number):
        issued = self.issued()
        with self.lock:
            given = list(self.acknowledged)
            self.acknowledged.clear()
        for token in given:
            family, generation = issued.get(token, (None, 0))
            if family in held and held[family][1] < generation:
                self.acknowledged_lost.append(
                    {"crash": number, "family": family, "given": generation, "held": held[family][1]}
                )

    def settle(self, crash, restarted, patience=TOLD_WITHIN):
        """After a recovery: finds what was lost, waits until the owner is told; returns devices to approve."""
        again = []
        deadline = restarted + patience
        while True:
            # The provider second, because refreshes go on: it knows of every end that the hub has heard of.
            grants = self.home.grants()
            families = self.provider.families()
            known = {self.home.families[grant]: about for grant, about in grants.items() if grant in self.home.families}
            dead = [
                number
                for number, about in families.items()
                if about["dead"] not in (None, "revoked") and number not in self.replaced
            ]
            untold = [number for number in dead if known[number]["state"] == "active"]
            if not untold or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        for number in dead:
            cause = self.cause(number)
            self.lost_by_crash[cause] += 1
            self.lost.append(
                {"crash": cause, "family": number, "reason": known[number].get("reason"), **families[number]}
            )
            if number in untold:
                self.silent.append({"crash": crash, "family": number, "hub": known[number]["state"]})
            self.replaced.add(number)
            again.append(known[number]["device"])
        for number, about in known.items():
            # What was never held cannot be given up: an approval that a crash interrupts is asked for again.
            was_held = about["state"] == "needs_reauth" and about["generation"] > 0
            if number not in self.replaced and was_held and not families[number]["dead"]:
                # The hub has given up what the provider still honours.
                self.needless.append({"crash": crash, "family": number, "reason": about.get("reason")})
                self.replaced.add(number)
                again.append(about["device"])
        return again

    def cause(self, family):
        """The crash that opened the refresh by which a family died; None when no crash did."""
        # The line may come after the state that tells of it.
        found = self.provider.log.wait(
            lambda item: item.get("family") == family and item.get("outcome") == "killed", 0, TOLD_WITHIN
        )
        return found and self.first_seen.get(found[2]["token"])

    def audit_log(self):
        """What the provider's log as a whole says against the rules."""
        reused, asked_again, after_death = [], [], collections.Counter()
        presented = collections.Counter()
        for when, item in list(self.provider.log.items):
            if item.get("action") != "refresh":
                continue
            if item["outcome"] == "dead":
                after_death[item["family"]] += 1
                continue
            if item["outcome"] in ("rotated", "again", "killed"):
                presented[item["token"]] += 1
            left = [crash for crash in self.crashes if crash[0] < when]
            if item["outcome"] in ("again", "killed"):
                if not left or item["token"] not in left[-1][1]:
                    known = bool(left) and item["token"] in left[-1][2]
                    (asked_again if known else reused).append(item)
        return {
            "superseded_without_intent": reused,
            "asked_again_though_kept": asked_again,
            "most_requests_with_a_dead_token": max(after_death.values(), default=0),
            "most_sendings_of_one_token": max(presented.values(), default=0),
        }

    def confirm(self):
        """At the end: every grant that the hub calls active is refreshed and its token tried at the provider."""
        for grant, about in self.home.grants().items():
            family = self.home.families.get(grant)
            if about["state"] != "active" or family in self.replaced:
                continue
            token = self.home.token(about["device"])
            if token is None or not self.provider.honours(token):
                shown = self.home.grants()[grant]
                case = {"crash": "end", "family": family, "hub": shown["state"], "reason": shown.get("reason")}
                (self.silent if shown["state"] == "active" else self.lost).append(case)

    def report(self):
        return {
            "crashes": len(self.crashes),
            "grants_lost": len(self.lost) + len(self.needless),
            "most_lost_by_one_crash": max(self.lost_by_crash.values(), default=0),
            "silently_lost": len(self.silent),
            "given_up_although_honoured": len(self.needless),
            "acknowledged_lost": len(self.acknowledged_lost),
            "rotated_without_intent": len(self.unprotected),
            "not_recovered": len(self.late),
            **{key: len(value) if isinstance(value, list) else value for key, value in self.audit_log().items()},
            "start_ms": spread(self.starts),
            "first_request_ms": spread(self.first_requests),
            "recovery_ms": spread(self.recoveries),
        }

    def cases(self):
        log = self.audit_log()
        return {
            "lost": self.lost[:20],
            "silent": self.silent,
            "needless": self.needless,
            "late": self.late,
            "acknowledged_lost": self.acknowledged_lost,
            "unprotected": self.unprotected,
            "superseded": log["superseded_without_intent"][:20],
            "asked_again": log["asked_again_though_kept"][:20],
        }

    def faults(self):
        """Which promises were broken; a strict provider may cost one grant for each crash."""
        told = self.report()
        bounds = {
            "silently_lost": 0,
            "given_up_although_honoured": 0,
            "acknowledged_lost": 0,
            "rotated_without_intent": 0,
            "not_recovered": 0,
            "superseded_without_intent": 0,
            "asked_again_though_kept": 0,
            "most_requests_with_a_dead_token": 2,
        }
        may_lose = self.provider.policy == "strict" or self.provider.outage > self.provider.grace
        bounds["most_lost_by_one_crash" if may_lose else "grants_lost"] = 1 if may_lose else 0
        broken = [f"{name} {told[name]}, allowed {bound}" for name, bound in bounds.items() if told[name] > bound]
        if None in self.lost_by_crash:
            broken.append(f"{self.lost_by_crash[None]} grants lost without a crash")
        return broken


def spread(seconds):
    """p50, p99 and the worst, in milliseconds."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    pick = lambda share: round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)
    return {"n": len(ordered), "p50": pick(0.5), "p99": pick(0.99), "max": round(1000 * ordered[-1], 1)}
