# The measuring half of Scripts/bench: everything is timed over the same socket and processes that people use, and each
# figure is printed beside its limit and the ratio of the two.
import json
import os
import socket
import statistics
import subprocess
import time

demo = os.environ["BENCH_DEMO"]
home = os.environ["KEYHOLDER_HOME"]


def timed(rounds, action):
    """Milliseconds of each round."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        action()
        times.append((time.perf_counter() - begin) * 1000)
    return sorted(times)


class Control:
    """One kept-alive connection to the control socket."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{home}/keyholder.sock")
        self.reader = self.socket.makefile("rb")

    def ask(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\nhost: keyholder\r\ncontent-length: {len(data)}\r\n\r\n"
        self.socket.sendall(head.encode() + data)
        status = int(self.reader.readline().split()[1])
        length = 0
        while (line := self.reader.readline().strip()):
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        answer = json.loads(self.reader.read(length))
        if status >= 300:
            raise RuntimeError(answer)
        return answer


def unix_echo():
    """What a round trip over a Unix socket costs with nothing behind it."""
    near, far = socket.socketpair(socket.AF_UNIX)
    if os.fork() == 0:
        near.close()
        while (data := far.recv(65536)):
            far.sendall(data)
        os._exit(0)
    far.close()

    def once():
        near.sendall(b"x" * 120)
        near.recv(65536)

    timed(200, once)
    times = timed(2000, once)
    near.close()
    os.wait()
    return times


def p(times, share):
    return times[min(len(times) - 1, int(len(times) * share))]


control = Control()
rows = []


def row(name, times, limit_name, limit):
    rows.append({
        "name": name, "p50_ms": round(p(times, 0.5), 3), "p99_ms": round(p(times, 0.99), 3), "runs": len(times),
        "limit": limit_name, "limit_ms": round(limit, 3), "ratio": round(p(times, 0.5) / limit, 2) if limit else None,
    })


quiet = {"stdout": subprocess.DEVNULL, "check": True}
token = ["keyholder", "token", "hallway"]
subprocess.run(token, **quiet)
row("keyholder token, whole process", timed(100, lambda: subprocess.run(token, **quiet)),
    "starting /bin/true", statistics.median(timed(100, lambda: subprocess.run(["/bin/true"], **quiet))))

echo = unix_echo()
cached = lambda: control.ask("POST", "/v1/devices/hallway/token", {"min_valid": 1})
timed(100, cached)
row("cached token over the control socket", timed(1000, cached), "Unix-socket echo", p(echo, 0.5))

command = lambda: control.ask("POST", "/v1/devices/hallway/commands", {"op": "climate.set", "args": {"t_mC": 20000}})
assert command()["outcome"] == "executed"
raw = sorted(float(line) / 1000 for line in open(f"{demo}/echo.txt"))
speed = open(f"{demo}/openssl.txt").read().split()
sign, verify = 1000 / float(speed[-2]), 1000 / float(speed[-1])
signatures = 2 * sign + 2 * verify
row("command to verified receipt", timed(300, command), "raw libmosquitto echo + four signatures", p(raw, 0.5) + signatures)

with open(f"/proc/{os.environ['BENCH_DAEMON']}/status") as status:
    memory = {line.split(":")[0]: int(line.split()[1]) for line in status if line.startswith(("VmRSS", "RssAnon"))}
facts = {
    "configuration": os.environ["BENCH_CONFIGURATION"], "rows": rows,
    "raw_echo_p50_ms": round(p(raw, 0.5), 3), "four_signatures_ms": round(signatures, 3),
    "daemon_resident_mib": round(memory["VmRSS"] / 1024, 1), "daemon_anonymous_mib": round(memory["RssAnon"] / 1024, 1),
}
if os.environ["BENCH_JSON"] == "true":
    print(json.dumps(facts, indent=2))
else:
    print(f"{'what':40} {'p50 ms':>8} {'p99 ms':>8}  {'limit':42} {'ms':>8} {'ratio':>8}")
    for r in rows:
        print(f"{r['name']:40} {r['p50_ms']:8} {r['p99_ms']:8}  {r['limit']:42} {r['limit_ms']:8} {r['ratio']:8}")
    print(f"raw echo {facts['raw_echo_p50_ms']} ms, four signatures {facts['four_signatures_ms']} ms ({facts['configuration']} build)")
    print(f"daemon: {facts['daemon_resident_mib']} MiB resident, {facts['daemon_anonymous_mib']} MiB of its own")
