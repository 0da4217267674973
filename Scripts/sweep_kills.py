"""Random SIGKILLs while refreshes go on, and what each start afterwards makes of it."""

import http.client
import random
import threading
import time

from sweep_check import Ledger
from sweep_home import Home, settled
from sweep_provider import Provider, Unexpected

# Kills in the first moments of a start, in the middle of a recovery, are this share of all.
EARLY = 0.3
# Seconds after a start within which such a kill comes.
EARLY_SPAN = 0.12
# Seconds of refreshing within which any other kill comes.
SPAN = 0.2
# Seconds of grace that a hub that was down misses.
LAPSES = 1


class Load:
    """Local programs that ask for fresh tokens all the time, so that some refresh is always under way."""

    def __init__(self, ledger, workers, seed):
        self.ledger, self.running, self.open = ledger, True, threading.Event()
        self.idle = threading.Semaphore(0)
        self.threads = [
            threading.Thread(target=self.work, args=(seed + number,), daemon=True) for number in range(workers)
        ]
        for thread in self.threads:
            thread.start()

    def work(self, seed):
        choice = random.Random(seed)
        while self.running:
            self.open.wait()
            try:
                token = self.ledger.home.token(choice.choice(self.ledger.home.devices))
                if token:
                    self.ledger.acknowledge(token)
                else:
                    time.sleep(0.005)
            except (OSError, ValueError, KeyError, http.client.HTTPException):
                # The daemon has been killed.
                time.sleep(0.005)

    def stop(self):
        self.running = False
        self.open.set()
        for thread in self.threads:
            thread.join()


def recover(home, ledger, crash, waiting, patience):
    """Waits until everything that the crash left open is finished; returns the time of the start."""
    begun = home.begun
    deadline = begun + patience
    late = {case["grant"] for case in ledger.late}
    for grant in waiting:
        if grant in late:
            # Waited for once already.
            continue
        done = home.log.wait(lambda line: settled(line) == grant, 0, max(0.001, deadline - time.monotonic()))
        if done is None:
            ledger.late.append(
                {"crash": crash, "grant": grant, "log": [line for line in home.log.since(0) if grant in line]}
            )
            return begun
    if waiting:
        ledger.recoveries.append(time.monotonic() - begun)
        first = home.provider.log.wait(lambda item: item.get("action") == "refresh", home.asked, 0)
        if first:
            ledger.first_requests.append(first[1] - begun)
    return begun


# So many kills are waited out together where a wait is long.
BATCH = 12
# Seconds that an access token lives. A strict provider's lost one is given up only when it is about to die; where there
# is a grace it has to be asked for again long before.
LIVES = {"none": 600, "grace": 600, "strict": 3}


def kills(programs, policy, runs, seed, devices=20, delay=0.012, progress=None):
    """A `lapsed` provider has a grace, but the hub is down for longer: what was under way is lost."""
    chance = random.Random(seed)
    lapsed = policy == "lapsed"
    policy = "grace" if lapsed else policy
    life = LIVES["strict" if lapsed else policy]
    patience = 10 + (life if life < 60 else 0)
    provider = Provider(policy, life, delay, seed, grace=LAPSES if lapsed else 60)
    provider.outage = LAPSES + 0.1 if lapsed else 0
    home = Home(provider, devices, programs)
    ledger = Ledger(home)
    load = None
    begun = time.monotonic()
    try:
        home.furnish(policy)
        load = Load(ledger, 3, seed)
        load.open.set()
        in_refresh = 0
        early = False
        for number in range(runs):
            time.sleep(chance.uniform(0, EARLY_SPAN if early else SPAN))
            load.open.clear()
            home.kill()
            vault = home.vault()
            waiting = ledger.crashed(vault)
            in_refresh += bool(vault.intents)
            early = not lapsed and number + 1 < runs and chance.random() < EARLY
            # Only a wait makes a grace pass.
            time.sleep(provider.outage)
            if early:
                home.start(wait=False)
                continue
            ledger.starts.append(home.start())
            # With a strict provider the last word comes seconds later, and other refreshes go on meanwhile.
            patient = policy != "strict" or number % BATCH == BATCH - 1 or number + 1 == runs
            restarted = recover(home, ledger, number, waiting, patience) if patient else home.begun
            for device in ledger.settle(number, restarted):
                home.approve(device)
            load.open.set()
            if progress and number % 50 == 49:
                progress(f"{number + 1} kills, {len(ledger.lost)} lost")
        load.stop()
        load = None
        ledger.confirm()
        for device in ledger.settle(runs, time.monotonic()):
            home.approve(device)
        seconds = time.monotonic() - begun
        return {
            "sweep": "kills",
            "provider": "lapsed" if lapsed else policy,
            "seed": seed,
            "kills": runs,
            "in_refresh": in_refresh,
            "seconds": round(seconds, 1),
            **ledger.report(),
            "faults": ledger.faults(),
            "cases": ledger.cases(),
        }
    except Unexpected as error:
        raise Unexpected(f"{error}\n" + "\n".join(home.log.since(0)[-20:])) from error
    finally:
        if load:
            load.stop()
        home.stop()
        provider.stop()
