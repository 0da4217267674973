# What everybody needs of a page, asked of the page as the browser laid it out and coloured it: names, order, contrast,
# a focus that can be seen, and nothing that has to be scrolled sideways. Numbers are WCAG 2.2's, level AA, but for
# targets, which are as large as level AAA asks.

TEXT_CONTRAST = 4.5
EDGE_CONTRAST = 3
TARGET = 44
NARROWEST = 320
MAXIMUM_STOPS = 60

_COLOURS = """
const channels = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3])).concat(1);
const behind = element => {
  let layers = [];
  for (let e = element; e; e = e.parentElement) layers.push(channels(getComputedStyle(e).backgroundColor));
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
  return layers.reverse().reduce((under, top) => over(top, under), canvas);
};
const light = c => { const [r, g, b] = c.slice(0, 3).map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05); };
const says = e => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '')
  + ' "' + (e.textContent || e.value || '').trim().slice(0, 30) + '"';
"""

_STRUCTURE = """
const faults = [], all = css => [...document.querySelectorAll(css)];
if (!document.documentElement.lang) faults.push('no lang');
if (!document.title.trim()) faults.push('no title');
if (all('h1').length !== 1) faults.push(`${all('h1').length} h1`);
if (all('main').length !== 1) faults.push(`${all('main').length} main`);
all('h1,h2,h3,h4').reduce((last, h) => { const level = Number(h.tagName[1]);
  if (level > last + 1) faults.push(`heading jumps to ${h.tagName}`); return level; }, 0);
const ids = all('[id]').map(e => e.id);
if (new Set(ids).size !== ids.length) faults.push('an id comes twice');
for (const e of all('input:not([type=hidden]),select,textarea'))
  if (!e.labels.length && !e.getAttribute('aria-label')) faults.push('no label: ' + e.name);
for (const e of all('input:not([type=hidden],[hidden]),button,select')) {
  // A label around it is pressed just as well.
  const box = (e.closest('label') ?? e).getBoundingClientRect();
  if (box.height < arguments[0] || box.width < arguments[0])
    faults.push(`small target: ${says(e)} ${Math.round(box.width)}x${Math.round(box.height)}`); }
return faults;
"""

_CONTRAST = """
const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const e = node.parentElement, box = e.getBoundingClientRect();
  if (!node.data.trim() || !box.width || ['SCRIPT', 'STYLE'].includes(e.tagName)) continue;
  const under = behind(e);
  found.push(['text', says(e), contrast(over(channels(getComputedStyle(e).color), under), under)]);
}
for (const e of document.querySelectorAll('input:not([type=hidden],[hidden]),button,select')) {
  const style = getComputedStyle(e), under = behind(e), around = behind(e.parentElement);
  if (e.tagName === 'INPUT') found.push(['text', says(e), contrast(channels(style.color), under)]);
  found.push(['edge', says(e), Math.max(
    contrast(channels(style.borderTopColor), around), contrast(under, around))]);
}
return found;
"""

_FOCUS = """
const e = document.activeElement, style = getComputedStyle(e);
const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
return {tag: e.tagName, who: says(e), visible: ring && e.matches(':focus-visible'),
  contrast: ring ? contrast(channels(style.outlineColor), behind(e.parentElement)) : 0,
  number: [...document.querySelectorAll('a[href],input:not([type=hidden],[hidden]),button,select,textarea')].indexOf(e)};
"""


def structure(browser):
    """What is missing in the page's structure; needs no particular colours."""
    faults = browser.run(_COLOURS + _STRUCTURE, TARGET)
    for button in browser.all("button"):
        if not browser.name_of(button).strip():
            faults.append("a button without a name")
    names = [browser.name_of(button) for button in browser.all("button")]
    faults += [f"two buttons are called \"{name}\"" for name in sorted(set(names)) if names.count(name) > 1]
    return faults


def contrasts(browser):
    """The lowest contrast of the page's text, and what falls short."""
    found = browser.run(_COLOURS + _CONTRAST)
    least = {"text": TEXT_CONTRAST, "edge": EDGE_CONTRAST}
    faults = [f"contrast {ratio:.2f} of {kind} {who}" for kind, who, ratio in found if ratio < least[kind]]
    if not found:
        faults.append("no text")
    return min((ratio for kind, _, ratio in found if kind == "text"), default=0), faults


def focus(browser):
    """What the Tab key does not reach, in order, or reaches without showing it."""
    faults, reached = [], []
    wanted = browser.run("return document.querySelectorAll("
                         "'a[href],input:not([type=hidden],[hidden]),button,select,textarea').length")
    for _ in range(min(wanted, MAXIMUM_STOPS)):
        browser.press("tab")
        stop = browser.run(_COLOURS + _FOCUS)
        if stop["tag"] == "BODY" and not reached:
            # From the last stop of a page it goes out of the page once before it comes back to the first.
            browser.press("tab")
            stop = browser.run(_COLOURS + _FOCUS)
        reached.append(stop["number"])
        if not stop["visible"]:
            faults.append(f"focus cannot be seen: {stop['who']}")
        elif stop["contrast"] < EDGE_CONTRAST:
            faults.append(f"contrast {stop['contrast']:.2f} of the focus ring of {stop['who']}")
    if reached != list(range(min(wanted, MAXIMUM_STOPS))):
        faults.append(f"Tab goes {reached} of {wanted}")
    return faults


def sideways(browser):
    """Whether something sticks out to the right of the page as it is."""
    wide = browser.run("return [document.documentElement.scrollWidth, innerWidth]")
    return [f"{wide[0]} wide at {wide[1]}"] if wide[0] > wide[1] else []
