#!/usr/bin/python3
"""The HTML tokenizer against the html5lib tokenizer tests.

Compared are start tags with their attributes, end tags and comments; text,
doctypes and parse errors are not produced.
"""
import glob
import html.entities
import json
import os
import re
import subprocess
import sys

import corpus
import tap

STATES = {
    "Data state": "data",
    "RCDATA state": "rcdata",
    "RAWTEXT state": "rawtext",
    "Script data state": "script",
    "PLAINTEXT state": "plaintext",
}


def tokenize(cases):
    """The tokens of (state, last start tag, text) cases."""
    lines = "".join("%s %s %s\n" % (state, last.encode().hex() or "-",
                                    text.hex() or "-")
                    for state, last, text in cases)
    done = subprocess.run([corpus.tool("html_tokens")], input=lines.encode(),
                          stdout=subprocess.PIPE, timeout=120, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    tap.equal(len(found), len(cases), "lines")
    return found


def text(hexed):
    """What the tool printed."""
    return bytes.fromhex(hexed).decode("utf-8", "replace")


def lower(name):
    """Only ASCII letters are folded."""
    return re.sub("[A-Z]+", lambda m: m.group().lower(), name)


def as_html5lib(token):
    """One of our tokens in the tests' form."""
    if token["kind"] == "comment":
        return ["Comment", text(token["text"])]
    name = lower(text(token["name"]))
    if token["kind"] == "end":
        return ["EndTag", name]
    attrs = {lower(text(a["name"])): text(a["value"])
             for a in token["attrs"] if not a["duplicate"]}
    return ["StartTag", name, attrs] + [True] * token["self_closing"]


def unescape(value):
    """The tests' second layer of escapes, for a value and all inside."""
    if isinstance(value, str):
        return re.sub(r"\\u([0-9A-Fa-f]{4})",
                      lambda m: chr(int(m.group(1), 16)), value)
    if isinstance(value, list):
        return [unescape(v) for v in value]
    if isinstance(value, dict):
        return {unescape(k): unescape(v) for k, v in value.items()}
    return value


def has_surrogate(value):
    """A lone surrogate cannot stand in a byte string."""
    joined = re.sub("[\ud800-\udbff][\udc00-\udfff]", "", value)
    return re.search("[\ud800-\udfff]", joined) is not None


def cases_of(path):
    """(what, state, last start tag, text or None, wanted) of a test file."""
    with open(path, encoding="utf-8") as f:
        tests = json.load(f).get("tests", [])
    for test in tests:
        source, wanted = test["input"], test["output"]
        if test.get("doubleEscaped"):
            source, wanted = unescape(source), unescape(wanted)
        wanted = [t for t in wanted
                  if t[0] in ("StartTag", "EndTag", "Comment")]
        data = None
        if not has_surrogate(source):
            data = source.encode("utf-16", "surrogatepass") \
                .decode("utf-16").encode()
        for state in test.get("initialStates", ["Data state"]):
            if state not in STATES:
                data = None
            yield ("%s: %s (%s)" % (os.path.basename(path),
                                    test["description"], state),
                   STATES.get(state), test.get("lastStartTag", ""), data,
                   wanted)


def check_file(path):
    """Fails with all differences of a file."""
    cases = list(cases_of(path))
    usable = [c for c in cases if c[3] is not None]
    wrong = []
    for case, found in zip(usable, tokenize([c[1:4] for c in usable])):
        ours = [as_html5lib(t) for t in found]
        if ours != case[4]:
            wrong.append("%s\n text   %r\n ours   %s\n wanted %s" % (
                case[0], case[3], ours, case[4]))
    corpus.say("%s: %d agree, %d differ, %d left out" % (
        os.path.basename(path), len(usable) - len(wrong), len(wrong),
        len(cases) - len(usable)))
    tap.true(not wrong, "\n".join(wrong[:20]))


def references_of(path):
    """Text cases that are one closed reference, as (reference, wanted)."""
    with open(path, encoding="utf-8") as f:
        for test in json.load(f).get("tests", []):
            out = test["output"]
            if re.fullmatch(r"&#?\w+;", test["input"]) and len(out) == 1 and \
                    out[0][0] == "Character" and \
                    not test.get("doubleEscaped"):
                yield test["input"], out[0][1]


def check_references(pairs):
    """A closed reference means the same in an attribute as in text."""
    cases = [("data", "", ('<a b="%s">' % ref).encode()) for ref, _ in pairs]
    for (ref, wanted), found in zip(pairs, tokenize(cases)):
        tap.equal(text(found[0]["attrs"][0]["value"]), wanted, ref)


def test_references_of_python():
    """Every name that Python knows; without ';' where that works."""
    check_references([("&" + n, v) for n, v in html.entities.html5.items()])


def test_open_references():
    """A name without ';' before '=' or an alphanumeric is text."""
    pairs = []
    for name in html.entities.html5:
        name = name.rstrip(";")
        for behind in ("=", "x", "9", "X;"):
            if name + behind not in html.entities.html5:
                pairs.append(("&" + name + behind,) * 2)
        if name not in html.entities.html5:
            pairs += [("&" + name + c,) * 2 for c in ("", " ", "-")]
    check_references(pairs)


def test_table_is_current():
    """lib/mail/html_entities.c is what its generator writes."""
    made = subprocess.run(
        [sys.executable,
         os.path.join(corpus.SRCDIR, "tests/tools/gen_entities.py")],
        stdout=subprocess.PIPE, timeout=60, check=True).stdout
    with open(os.path.join(corpus.SRCDIR, "lib/mail/html_entities.c"),
              "rb") as f:
        tap.equal(f.read(), made, "html_entities.c")


def test_comparison_can_fail():
    """A wrong expectation is seen."""
    found = tokenize([("data", "", b"<a b=c>")])[0]
    tap.equal([as_html5lib(t) for t in found],
              [["StartTag", "a", {"b": "c"}]])
    tap.true(as_html5lib(found[0]) != ["StartTag", "a", {"b": "d"}], "value")
    tap.true(as_html5lib(found[0]) != ["StartTag", "a", {"b": "c"}, True],
             "self-closing")


def corpus_points():
    """One point a test file."""
    if not corpus.is_there():
        def skip():
            raise tap.Skip("no corpus")
        return [("html5lib tests", skip)]
    points = []
    for path in sorted(glob.glob(corpus.path("html5lib/*.test"))):
        name = os.path.basename(path)
        points.append(("tokens of " + name, lambda p=path: check_file(p)))
        if "Entities" in name or "numeric" in name:
            points.append((
                "references of " + name + " in attributes",
                lambda p=path: check_references(list(references_of(p)))))
    return points


def main():
    """Runs all points; those over the corpus are skipped without it."""
    return tap.run([
        ("a difference is seen", test_comparison_can_fail),
        ("html_entities.c is current", test_table_is_current),
        ("all named references", test_references_of_python),
        ("names without semicolon", test_open_references),
    ] + corpus_points())


if __name__ == "__main__":
    sys.exit(main())
