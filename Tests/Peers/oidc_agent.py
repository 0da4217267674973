#!/usr/bin/env python3
# The distribution's oidc-agent asks a provider for access, with nobody at its prompts: a person answers on the
# provider's page only. It needs OpenID discovery, and asks for `openid offline_access` beside the given scope. Its
# files lie in a folder of their own and go with the run.

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import requests

from browser import Browser, read_password
from steps import Person, Steps, add_person, devices

ACCOUNT = "home"
TIMEOUT = 60


class Agent:
    """A running oidc-agent."""

    def __init__(self):
        self._folder = tempfile.mkdtemp(prefix="keyholder-oidc.")
        self._environment = {
            "PATH": os.environ["PATH"], "HOME": self._folder, "OIDC_CONFIG_DIR": self._folder,
            "OIDC_SOCK": f"{self._folder}/agent.sock", "OIDC_ENCRYPTION_PW": "only for this run"}
        # It goes into the background when it listens, and says as whom.
        _, out, _ = self.run("oidc-agent", "--json", "--no-scheme", "--no-autoreauthenticate", "-a",
                             self._environment["OIDC_SOCK"])
        self._group = os.getpgid(int(json.loads(out)["dpid"]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Its worker and its listener are processes of the same group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._group, signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, *command, **more):
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", env={**self._environment, **more}, start_new_session=True)

    def run(self, *command, **more):
        """Runs a tool of the agent's: its exit code and what it said."""
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=TIMEOUT,
            env={**self._environment, **more}, check=False)
        return done.returncode, done.stdout.strip(), done.stderr.strip()

    def token(self, *options):
        """An access token, or an OSError with the agent's words."""
        code, out, err = self.run("oidc-token", *options, ACCOUNT)
        if code or not out:
            raise OSError(f"oidc-token: {code} {err or out}"[:300])
        return out


def _generation(options, flow, *more):
    command = [
        "oidc-gen", ACCOUNT, f"--iss={options.base}/", f"--client-id={options.client_id}", f"--flow={flow}",
        f"--scope={options.scope}", "--pw-env", "--prompt=none", "--confirm-default", "--no-url-call", *more]
    if options.client_secret_file:
        command.append(f"--client-secret={read_password(options.client_secret_file)}")
    if options.cert_file:
        command.append(f"--cert-path={options.cert_file}")
    return command


def _said(process, pattern, heard):
    """The first match in what a tool says as it goes."""
    for line in process.stdout:
        heard.append(line)
        found = re.search(pattern, line)
        if found:
            return found[1]
    raise OSError(f"oidc-gen: {' '.join(''.join(heard).split())}"[:400])


def _finish(process, heard):
    heard.extend(process.stdout)
    return process.wait(timeout=TIMEOUT), [
        " ".join(line.split()) for line in heard if re.search("error|success|fault|not ", line, re.IGNORECASE)]


def device(options, steps, agent):
    heard, process = [], agent.start(*_generation(options, "device"))
    url = _said(process, r"^\s*(https?://\S+)\s*$", heard)
    code = _said(process, r"enter the code: (\S+)", heard)
    status = Person(options).type_code(url, code)
    ended, lines = _finish(process, heard)
    return steps.done("account", ended == 0, page_status=status, said=lines)


def code(options, steps, agent):
    heard, process = [], agent.start(*_generation(options, "code", f"--port={options.port}"))
    url = _said(process, r"(https?://\S+[?&]response_type=\S+|https?://\S+/authorize\?\S+)", heard)
    landed, status = Person(options).answer(url)
    if landed:
        # Its own listener takes the code and exchanges it.
        status = Browser().get(landed).status
    ended, lines = _finish(process, heard)
    return steps.done("account", landed and ended == 0, page_status=status, said=lines)


def refresh(options, steps, agent):
    """Starts from a refresh token that another client of the same name got."""
    ended, out, err = agent.run(
        *_generation(options, "refresh", "--rt-env"), OIDC_REFRESH_TOKEN=read_password(options.refresh_token_file))
    return steps.done("account", ended == 0, said=[" ".join(line.split()) for line in (out + "\n" + err).split("\n")])


def play(options, steps, agent):
    if not {"device": device, "code": code, "refresh": refresh}[options.flow](options, steps, agent):
        return
    session = steps.watch(requests.Session())
    if options.cert_file:
        session.verify = options.cert_file
    use = lambda token: devices(_bearing(session, token), options.base)
    first = agent.token()
    status, seen = use(first)
    steps.done("resource", status == 200 and seen, status=status, operations=seen)
    fresh = agent.token("--force-new")
    status, seen = use(fresh)
    steps.done("refresh", status == 200 and fresh != first, status=status, changed=fresh != first)
    ended, out, err = agent.run("oidc-gen", "--delete", ACCOUNT, "--pw-env", "--prompt=none", "--confirm-yes")
    status, _ = use(fresh)
    steps.done("delete", ended == 0 and status == 401, status=status, said=(out + " " + err).split("\n"))


def _bearing(session, token):
    session.headers["Authorization"] = f"Bearer {token}"
    return session


def main():
    parser = argparse.ArgumentParser(description="Ask a provider for access with oidc-agent.")
    parser.add_argument("flow", choices=["code", "device", "refresh"])
    parser.add_argument("--base", required=True, help="the issuer")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--client-secret-file")
    parser.add_argument("--scope", required=True)
    parser.add_argument("--port", type=int, default=0, help="of the redirect URI http://localhost:PORT (code)")
    parser.add_argument("--refresh-token-file")
    parser.add_argument("--cert-file", help="who vouches for the provider's TLS")
    add_person(parser)
    options = parser.parse_args()
    options.base = options.base.rstrip("/")
    steps = Steps()
    try:
        with Agent() as agent:
            play(options, steps, agent)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        steps.failed(error)
    return steps.end()


if __name__ == "__main__":
    sys.exit(main())
