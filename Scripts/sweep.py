"""The crash sweeps; `Scripts/sweep` says how they are called."""

import argparse
import json
import signal
import sys

from sweep_provider import CHECKOUT, Unexpected

PROMISED = {
    "kills": 1000,
    "powercut": 300,
    "drain": 20,
    "syscalls": 0,
    "failpoints": 0,
    "errno": 0,
    "disk": 24,
    "mounts": 0,
}


def progress(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def words(result):
    """One line for people."""
    hidden = ("sweep", "cases", "faults", "points")
    shown = []
    for name, value in result.items():
        if name in hidden or value is None:
            continue
        if isinstance(value, dict):
            value = "/".join(str(each) for key, each in value.items() if key != "n")
            name += " p50/p99/max" if "p99" in result[name] else ""
        shown.append(f"{name.replace('_', ' ')} {value}")
    verdict = "kept" if not result["faults"] else "BROKEN: " + "; ".join(result["faults"])
    return f"{result['sweep']}: {', '.join(shown)}: {verdict}"


def run(arguments):
    programs, seed = arguments.programs, arguments.seed
    runs = PROMISED[arguments.sweep] if arguments.runs is None else arguments.runs
    policies = [arguments.provider] if arguments.provider else ["grace", "strict"]
    if arguments.sweep == "kills":
        from sweep_kills import kills

        for policy in policies:
            yield kills(programs, policy, runs, seed, devices=arguments.grants, progress=progress)
    elif arguments.sweep == "syscalls":
        from sweep_trace import syscalls

        for policy in policies:
            yield syscalls(programs, policy, seed, limit=runs, progress=progress)
    elif arguments.sweep == "errno":
        from sweep_errno import errno_sweep

        yield from errno_sweep(programs, seed, limit=runs, progress=progress)
    elif arguments.sweep == "disk":
        from sweep_disk import full_disk, read_only

        yield full_disk(programs, seed, "ext4", runs)
        yield read_only(programs, seed)
    elif arguments.sweep == "mounts":
        from sweep_mount import mountable

        trouble = mountable()
        yield {"sweep": "mounts", "trouble": trouble, "faults": [trouble] if trouble else []}
    elif arguments.sweep == "failpoints":
        from sweep_points import failpoints

        for policy in policies:
            yield failpoints(programs, policy, seed, progress=progress)
    elif arguments.sweep == "powercut":
        from sweep_disk import powercut

        yield powercut(programs, arguments.provider or "grace", runs, seed, progress=progress)
    elif arguments.sweep == "drain":
        from sweep_drain import drain

        yield drain(programs, arguments.provider or "strict", runs, seed, progress=progress)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweep", choices=sorted(PROMISED))
    parser.add_argument("--runs", type=int, help="how many; what the promise asks for when not given")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--provider", choices=("none", "grace", "lapsed", "strict"))
    parser.add_argument("--grants", type=int, default=20)
    parser.add_argument("--programs", default=str(CHECKOUT / ".build/debug"), help="the folder of the built programs")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    # A sweep that is ended takes its daemons and disks along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    broken = False
    try:
        for result in run(arguments):
            broken |= bool(result["faults"])
            print(json.dumps(result) if arguments.json else words(result), flush=True)
            if result["faults"] and not arguments.json:
                print(json.dumps(result.get("cases", {}), indent=1), file=sys.stderr)
    except Unexpected as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
