# A real Chromium, driven over W3C WebDriver by its own driver. Nothing waits for a time: every step ends when the
# browser says so, or the whole program at its deadline. Standard library only.

import base64
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
TIMEOUT = 60
KEYS = {"tab": "\ue004", "enter": "\ue007", "shift": "\ue008", "space": "\ue00d"}


START_TRIES = 3

class WebDriverError(OSError):
    """The browser could not do what it was told; `kind` is WebDriver's own word for why."""

    def __init__(self, kind, message):
        super().__init__(f"{kind}: {message.splitlines()[0] if message else ''}")
        self.kind = kind


def _arguments(profile, size):
    yield from (
        "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server",
        "--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb",
        # The browser ends with its driver, however that ends.
        "--remote-debugging-pipe", "--lang=en", "--hide-scrollbars", f"--user-data-dir={profile}", "--window-size={},{}".format(*size))
    # Chromium's own sandbox cannot be set up by root.
    if os.geteuid() == 0:
        yield "--no-sandbox"


class Chromium:
    """One browser with a profile of its own, gone with the `with` block."""

    def __init__(self, size=(1280, 900), scheme="light", script=True):
        self._profile = tempfile.mkdtemp(prefix="keyholder-chromium.")
        self._driver = self._session = self._connection = None
        try:
            self._start(size, script)
            self.size(*size)
            self.scheme(scheme)
        except BaseException:
            self.close()
            raise

    def _start_driver(self):
        """Starts the driver; its port, or what it said when it gave up."""
        self._driver = subprocess.Popen(
            # And the driver ends with this program, however that ends.
            ["setpriv", "--pdeathsig", "KILL", "chromedriver", "--port=0"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        said = ""
        for line in self._driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found[1]), said
            said += line
        self._driver.wait()
        return None, said

    def _start(self, size, script):
        # It takes one port for both kinds of addresses, and gives up when another program has just taken one of them.
        for _ in range(START_TRIES):
            port, said = self._start_driver()
            if port:
                break
        else:
            raise OSError(f"chromedriver did not start: {said.strip()[-300:]}")
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        options = {"binary": shutil.which("chromium") or "chromium", "args": list(_arguments(self._profile, size))}
        if not script:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        made = self._send("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"},
            "unhandledPromptBehavior": "ignore", "timeouts": {"pageLoad": TIMEOUT * 500, "script": TIMEOUT * 500}}}})
        self._session = made["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._session:
            try:
                self._send("DELETE", f"/session/{self._session}")
            except (OSError, http.client.HTTPException):
                pass
        if self._connection:
            self._connection.close()
        if self._driver:
            # The driver and whatever it started are one process group of their own.
            try:
                os.killpg(self._driver.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._driver.wait()
            self._driver.stdout.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def _send(self, method, path, body=None):
        text = json.dumps(body if body is not None else {}) if method == "POST" else None
        self._connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
        value = json.loads(self._connection.getresponse().read())["value"]
        if isinstance(value, dict) and "error" in value:
            raise WebDriverError(value["error"], value.get("message", ""))
        return value

    def _call(self, method, path, body=None):
        return self._send(method, f"/session/{self._session}{path}", body)

    def cdp(self, command, **parameters):
        """A command of the browser's own protocol, for what WebDriver has no word for."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def size(self, width, height):
        """The size of the page itself, not of a window around it."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name):
        """`light` or `dark`, as the person's system would ask for it."""
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    # Going about.

    def go(self, url):
        self._call("POST", "/url", {"url": url})

    def back(self):
        self._call("POST", "/back")

    def reload(self):
        self._call("POST", "/refresh")

    @property
    def url(self):
        return self._call("GET", "/url")

    @property
    def title(self):
        return self._call("GET", "/title")

    @property
    def source(self):
        return self._call("GET", "/source")

    def open_tab(self):
        """Opens a tab of the same browser, goes there and returns the one it left."""
        old = self._call("GET", "/window")
        self.enter_tab(self._call("POST", "/window/new", {"type": "tab"})["handle"])
        return old

    def enter_tab(self, handle):
        self._call("POST", "/window", {"handle": handle})

    def enter_frame(self, element):
        """The frame of an element, or the page itself for None."""
        self._call("POST", "/frame", {"id": element and {ELEMENT: element}})

    # Looking and pressing, as a person does.

    def all(self, css):
        return [item[ELEMENT] for item in self._call("POST", "/elements", {"using": "css selector", "value": css})]

    def one(self, css):
        return self._call("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def wait_for(self, css):
        """The first match, as soon as there is one."""
        self._call("POST", "/timeouts", {"implicit": TIMEOUT * 300})
        try:
            return self.one(css)
        finally:
            self._call("POST", "/timeouts", {"implicit": 0})

    def leave(self, act):
        """Does what leads to another page, and waits for that page; every page here has a heading."""
        self.run("document.documentElement.setAttribute('data-left', '')")
        act()
        self.wait_for("html:not([data-left]) h1")

    def name_of(self, element):
        """What the browser tells a screen reader the element is called."""
        return self._call("GET", f"/element/{element}/computedlabel")

    def click(self, css):
        self._call("POST", f"/element/{self.one(css)}/click")

    def type(self, css, text):
        self._call("POST", f"/element/{self.one(css)}/value", {"text": text})

    def text(self, css):
        return self._call("GET", f"/element/{self.one(css)}/text")

    def press(self, *keys):
        """Presses keys of `KEYS`, or the characters of a text, one after the other, wherever the focus is."""
        actions = [{"type": kind, "value": key} for name in keys for key in ([KEYS[name]] if name in KEYS else name)
                   for kind in ("keyDown", "keyUp")]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def run(self, script, *arguments):
        """The value of a function body run in the page, by the browser's own leave and not by the page's policy."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_until_done(self, script, *arguments):
        """The value that a function body hands to its last argument, a callback."""
        return self._call("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def dialog(self):
        """The text of an open dialog of a script, or None."""
        try:
            return self._call("GET", "/alert/text")
        except WebDriverError as error:
            if error.kind == "no such alert":
                return None
            raise

    def console(self):
        """What the browser wrote about the pages since it was last asked."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def cookies(self):
        return self._call("GET", "/cookie")

    def forget_cookies(self):
        self._call("DELETE", "/cookie")

    def shot(self, path, whole=True):
        """Writes a picture of the page, by default down to its end."""
        picture = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture))
