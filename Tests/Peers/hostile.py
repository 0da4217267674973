# What somebody else's page, or somebody else in the same browser, may try against a home that a person is signed in to.
# Each attack also shows that the same thing done rightly works, so that a refusal is known to come from the defence.

import concurrent.futures
import http.client
import urllib.parse

from landing import HostileSite, form

# Another origin of the same site, to which a browser sends SameSite cookies, and another site.
HOSTS = ("127.0.0.1", "localhost")
KINDS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
PAYLOAD = "\"'><img src=x onerror=\"window.hit=1\"><script>window.hit=1</script><b id=planted>{{name}}"
FRAMES = {
    "iframe": "<iframe src=\"{}\" width=600 height=600></iframe>", "object": "<object data=\"{}\"></object>",
    "embed": "<embed src=\"{}\">"}
SUBMIT = """
const f = document.body.appendChild(document.createElement('form'));
f.method = 'post'; f.action = arguments[0];
for (const [name, value] of Object.entries(arguments[1])) {
  const i = f.appendChild(document.createElement('input')); i.name = name; i.value = value; }
f.submit();
"""
LOADED = """
const done = arguments[0];
document.readyState === 'complete' ? done() : addEventListener('load', () => done());
"""
SEEN_IN_FRAME = "return [document.forms.length, document.body ? document.body.innerText : '']"


def framed(visitor, landing, ask, story):
    """The pages in a frame of another origin."""
    browser, url = visitor.browser, ask()
    visitor.open_signed_in(url)
    heading = browser.text("h1")
    with HostileSite() as site:
        harmless = site.put("<h1>Harmless</h1><form></form>")
        for host in HOSTS:
            for tag, markup in FRAMES.items():
                text = _framed(browser, site, host, markup, harmless)[1]
                story.check("a harmless page can be framed", "Harmless" in text)
                for target in (url, visitor.base + "/"):
                    forms, text = _framed(browser, site, host, markup, target)
                    story.check(f"not rendered in {tag}", forms == 0 and heading not in text and "Sign" not in text)
    visitor.open(url)
    story.check("shown when not framed", browser.text("h1") == heading and browser.all("button[value=approve]"))
    story.check("nothing approved", landing.count == 0)


def _framed(browser, site, host, markup, target):
    browser.go(site.put(markup.format(target.replace("&", "&amp;")), host))
    browser.run_until_done(LOADED)
    seen = [0, ""]
    try:
        browser.enter_frame(browser.one("iframe,object,embed"))
        seen = browser.run(SEEN_IN_FRAME)
    except OSError:
        pass
    browser.enter_frame(None)
    return seen


def forged(visitor, landing, ask, story):
    """Forms that other origins make the signed-in browser send, even with the right form token."""
    browser = visitor.browser
    visitor.open("/")
    with HostileSite() as site:
        own = {"name": visitor._person, "password": visitor._password, "next": "/"}
        for host in HOSTS:
            story.check("sign-in from elsewhere refused", _refused(visitor, site, host, "/sign-in", own))
        visitor.open("/")
        story.check("still signed out", visitor.is_asked_to_sign_in())
        visitor.open_signed_in(ask())
        right = visitor.form()
        action = urllib.parse.urlsplit(browser.run("return document.forms[0].action")).path
        tab = browser.open_tab()
        attempts = 0
        for host in HOSTS:
            for fields in ({**right, "decision": "approve"}, {"form_token": "", "decision": "approve"}):
                for kind in KINDS:
                    attempts += 1
                    refused = _refused(visitor, site, host, action, fields, kind)
                    story.check("consent from elsewhere refused", refused)
            story.check("consent from a sandbox refused", _sandboxed(visitor, site, host, action, right))
            _fetched(visitor, site, host, action, right)
            # A link with the decision in it is the page and nothing else.
            browser.go(f"{visitor.base}{action}?{urllib.parse.urlencode({**right, 'decision': 'approve'})}")
            story.check("a link decides nothing", landing.count == 0)
        visitor.open_signed_in("/")
        out = browser.run("return document.querySelector('form[action=\"/sign-out\"] input').value")
        for host in HOSTS:
            refused = _refused(visitor, site, host, "/sign-out", {"form_token": out})
            story.check("sign-out from elsewhere refused", refused)
        visitor.open("/")
        story.check("still signed in", not visitor.is_asked_to_sign_in())
        story.check("nothing approved", landing.count == 0)
        browser.enter_tab(tab)
    # The form that the person really sees was good all the time.
    visitor.decide("approve")
    arrived = landing.next()
    story.check("the person's own press works", "code" in arrived or "oauth_verifier" in arrived)
    story.tell(attempts=attempts)


def _refused(visitor, site, host, path, fields, kind=KINDS[0]):
    visitor.browser.go(site.put(form(visitor.base + path, fields, kind=kind), host))
    visitor.browser.wait_for("h1")
    page = visitor.page()
    return page["status"] in (400, 403) and visitor.browser.url.startswith(visitor.base)


def _sandboxed(visitor, site, host, action, right):
    inner = form(visitor.base + action, {**right, "decision": "approve"}, target="_top").replace("&", "&amp;")
    inner = inner.replace("'", "&#39;")
    allowed = "allow-forms allow-scripts allow-top-navigation"
    visitor.browser.go(site.put(f"<iframe sandbox='{allowed}' srcdoc='{inner}'>", host))
    visitor.browser.wait_for("h1")
    return visitor.page()["status"] == 403


def _fetched(visitor, site, host, action, right):
    """A request in the background; its answer cannot be read, only what came of it can be seen."""
    visitor.browser.go(site.put("", host))
    visitor.browser.run_until_done(
        "fetch(arguments[0], {method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams("
        "arguments[1])}).then(() => arguments[2](), () => arguments[2]())",
        visitor.base + action, {**right, "decision": "approve"})


def replayed(visitor, landing, ask, story):
    """One approval, sent again: by the back button, by a form of the home itself, by reloading, and all at once."""
    browser, url = visitor.browser, ask()
    visitor.open_signed_in(url)
    right = {**visitor.form(), "decision": "approve"}
    action = urllib.parse.urlsplit(browser.run("return document.forms[0].action")).path
    visitor.decide("approve")
    first = landing.next()
    story.check("approved once", "code" in first or "oauth_verifier" in first)
    browser.back()
    browser.wait_for("h1")
    story.tell(back=visitor.page())
    if browser.all("button[value=approve]"):
        shown = visitor.form()["form_token"]
        story.tell(back_is_fresh=shown != right["form_token"])
        browser.run("document.querySelector('[name=form_token]').value = arguments[0]", right["form_token"])
        visitor.decide("approve")
    story.check("back button refused", visitor.page()["status"] in (400, 403))
    visitor.open("/")
    browser.leave(lambda: browser.run(SUBMIT, visitor.base + action, right))
    story.check("sent again refused", _is_outdated(visitor))
    browser.reload()
    browser.wait_for("h1")
    story.check("reloaded refused", visitor.page()["status"] in (400, 403))
    story.check("landed once", landing.count == 1)
    visitor.open_signed_in(ask())
    raced = {**visitor.form(), "decision": "approve"}
    cookie = "; ".join(f"{item['name']}={item['value']}" for item in browser.cookies())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda _: _post(visitor.base, action, raced, cookie), range(8)))
    story.tell(raced=statuses)
    others = [status for status in statuses if status != 303]
    story.check("of eight at once, one", len(others) == 7 and set(others) <= {400, 403, 429})


def _is_outdated(visitor):
    return visitor.page()["status"] == 403 and "out of date" in visitor.browser.text("h1")


def _post(base, path, fields, cookie):
    parts = urllib.parse.urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        connection.request("POST", path, urllib.parse.urlencode(fields), {
            "Content-Type": KINDS[0], "Cookie": cookie, "Origin": base, "Sec-Fetch-Site": "same-origin"})
        return connection.getresponse().status
    finally:
        connection.close()


def borrowed(visitor, landing, ask, story):
    """A form token that was issued to another session, or for another form."""
    browser, url = visitor.browser, ask()
    visitor.open_signed_in(url)
    foreign = visitor.form()["form_token"]
    visitor.open("/")
    other = browser.run("return document.querySelector('form[action=\"/sign-out\"] input').value")
    tokens = {"of another session": foreign, "of another form": other, "made up": "A" * 30, "empty": ""}
    for what, token in tokens.items():
        if what != "of another form":
            visitor.forget()
        visitor.open_signed_in(url)
        browser.run("document.querySelector('[name=form_token]').value = arguments[0]", token)
        visitor.decide("approve")
        story.check(f"token {what} refused", _is_outdated(visitor))
    story.check("nothing approved", landing.count == 0)
    visitor.open_signed_in(url)
    visitor.decide("approve")
    arrived = landing.next()
    story.check("the own token works", "code" in arrived or "oauth_verifier" in arrived)


def injected(visitor, landing, ask, story):
    """Markup in everything that an app or a visitor can put on a page."""
    browser, base = visitor.browser, visitor.base
    with HostileSite() as site:
        browser.go(site.put(f"<input value=\"{PAYLOAD}\">"))
        story.check("the payload works where nothing stops it", browser.run("return window.hit") == 1)
    visitor.open_signed_in(ask(state=PAYLOAD))
    _harmless(visitor, story, "consent")
    story.tell(asked_by=browser.text("main p strong + strong"))
    # Not even what stands in the page runs: the policy allows no script at all.
    browser.run("const s = document.createElement('script'); s.text = 'window.hit = 1'; document.body.append(s);"
                "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hit=1\">')")
    story.check("the policy stops what is planted", browser.run("return window.hit === undefined"))
    visitor.decide("approve")
    story.check("state comes back as it was", landing.next().get("state") == PAYLOAD)
    browser.go(ask(scope=PAYLOAD))
    story.check("scope refused", landing.next().get("error") == "invalid_scope")
    quoted = urllib.parse.quote(PAYLOAD)
    visitor.open(f"/oauth2/authorize?response_type=code&client_id={quoted}")
    _harmless(visitor, story, "client_id")
    strange = (
        "javascript:window.hit=1", "data:text/html,<script>window.hit=1</script>", landing.url + "@evil.example")
    for target in strange:
        browser.go(ask(redirect=target))
        _harmless(visitor, story, "redirect_uri")
        story.check("strange redirect_uri refused", visitor.page()["status"] == 400)
    visitor.open(f"/oauth1/authorize?oauth_token={quoted}")
    _harmless(visitor, story, "oauth_token")
    visitor.open("/" + quoted)
    story.check("path", browser.run("return window.hit === undefined"))
    elsewhere = (
        "//localhost:1/", "https://evil.example/", "javascript:window.hit=1", "/\\localhost:1/", "/" + PAYLOAD)
    for following in elsewhere:
        visitor.forget()
        visitor.open("/")
        browser.run("document.querySelector('[name=next]').value = arguments[0]", following)
        visitor.sign_in()
        story.check("sign-in leads nowhere else", browser.url == base + "/" and visitor.page()["status"] == 200)
    # At the end, because wrong names are counted.
    visitor.forget()
    visitor.open("/")
    visitor.sign_in(name=PAYLOAD[:64], password="wrong")
    _harmless(visitor, story, "name")


def _harmless(visitor, story, where):
    browser = visitor.browser
    planted = browser.run("return document.querySelectorAll('script,img,iframe,object,embed,#planted').length")
    story.check(f"{where}: nothing planted, nothing ran",
                planted == 0 and browser.run("return window.hit === undefined") and browser.dialog() is None
                and browser.url.startswith(visitor.base))


ATTACKS = {"framed": framed, "forged": forged, "replayed": replayed, "borrowed": borrowed, "injected": injected}
