#!/usr/bin/python3
"""Links, images and comments that the HTML tokenizer finds, counted.

The index counts with a tree builder (html5lib) and, for what stands in
comments, with patterns over the source.  The rules that give its numbers:

http, mailto, frag, merge, other, empty: href of a and area outside comments,
    after references are decoded and blanks trimmed, in this order: nothing;
    "#..."; http: or https:; mailto:; a template tag in it ({{ {% <% *| %% [[);
    anything else ("[x]" too).
area, base: those with href; form: those with action http: or https:; img: all.
cc: "<!--[if" in the source.
cchref: href values with http: or https: between each "<!--[if" and the next
    "[endif]" in the source, of any element (link, VML), also where the text
    between is shown to all readers, or is a comment.
body: end tags outside comments.
"""
import email
import re
import sys

import corpus
import html5lib
import tap

MAIL_KINDS = ("mime", "mime-charset", "newsletter", "newsletter-composed")
REGION = re.compile(rb"<!--\[if.*?\[endif\]", re.I | re.S)
HREF = re.compile(r"href\s*=\s*[\"']?\s*https?:", re.I)
MERGE = re.compile(r"\{\{|\{%|<%|\*\||%%|\[\[")


def sort_of(href):
    """The index's word for a link."""
    href = href.strip(" \t\r\n\f")
    if not href:
        return "empty"
    if href.startswith("#"):
        return "frag"
    if re.match("https?:", href, re.I):
        return "http"
    if re.match("mailto:", href, re.I):
        return "mailto"
    return "merge" if MERGE.search(href) else "other"


class Token:
    """A token of the tool with its texts decoded."""

    def __init__(self, raw):
        self.kind, self.at, self.hidden = \
            raw["kind"], raw["at"], raw["conditional"]
        self.name = html5lib.lower(html5lib.text(raw["name"]))
        self.text = html5lib.text(raw["text"])
        self.attrs = {}
        for attr in raw["attrs"]:
            if not attr["duplicate"]:
                self.attrs[html5lib.lower(html5lib.text(attr["name"]))] = \
                    html5lib.text(attr["value"])


def count_tag(token, count):
    """A start tag that all readers see."""
    name, attrs = token.name, token.attrs
    if name in ("a", "area") and "href" in attrs:
        count(sort_of(attrs["href"]))
    if name in ("area", "base") and "href" in attrs:
        count(name)
    if name == "form" and sort_of(attrs.get("action", "")) == "http":
        count("form")
    if name == "img":
        count("img")


def counts(data, raw_tokens):
    """What we find in a text, by the index's names."""
    found = {}

    def count(what, n=1):
        if n:
            found[what] = found.get(what, 0) + n

    regions = [m.span() for m in REGION.finditer(data)]
    count("cc", len(re.findall(rb"<!--\[if", data, re.I)))
    for token in map(Token, raw_tokens):
        conditional = any(a <= token.at < b for a, b in regions)
        if token.kind == "end" and token.name == "body" and \
                not token.hidden:
            count("body")
        if token.kind == "comment" and conditional:
            count("cchref", len(HREF.findall(token.text)))
        if token.kind != "start":
            continue
        if conditional and sort_of(token.attrs.get("href", "")) == "http":
            count("cchref")
        if not token.hidden:
            count_tag(token, count)
    return found


def total(texts):
    """The counts of some texts together."""
    sums = {}
    found = html5lib.tokenize([("mail", "", t) for t in texts])
    for text, tokens in zip(texts, found):
        for what, n in counts(text, tokens).items():
            sums[what] = sums.get(what, 0) + n
    return sums


def reason_for(texts, ours, wanted):
    """Why counts may differ, "" if they may not."""
    for charset in ("utf-16", "utf-32"):
        try:
            plain = [t.decode(charset).encode() for t in texts]
        except UnicodeDecodeError:
            continue
        if total(plain) == wanted:
            return "charset that hides ASCII: never rewritten"
    raw = [re.sub(rb"(?i)</?(noframes|noembed|xmp|iframe)\b[^>]*>", b"", t)
           for t in texts]
    if total(raw)["body"] == wanted.get("body") and \
            dict(ours, body=wanted.get("body")) == wanted:
        return "</body> in raw text: text, in a browser"
    return ""


def compare(cases):
    """Fails on a difference without a reason; cases: path, texts, wanted."""
    wrong, same = [], 0
    for path, texts, wanted in cases:
        ours = total(texts)
        if ours == wanted:
            same += 1
            continue
        reason = reason_for(texts, ours, wanted)
        corpus.say("%s: %s" % (path, reason or "UNEXPLAINED"))
        if not reason:
            wrong.append("%s\n ours   %s\n wanted %s" % (
                path, sorted(ours.items()), sorted(wanted.items())))
    corpus.say("%d of %d agree" % (same, len(cases)))
    tap.true(same > 0, "nothing was compared")
    tap.true(not wrong, "\n".join(wrong))


def numbers(text, between, equals):
    """{"http": 3} from "http=3;..." or "http:3 ..."; full is no count."""
    pairs = (item.split(equals) for item in text.split(between) if item)
    return {k: int(v) for k, v in pairs if k != "full" and v != "0"}


def read(path):
    """The bytes of a file of the corpus."""
    with open(corpus.path(path), "rb") as f:
        return f.read()


def test_templates():
    """The kind "html": a file is a text."""
    compare([(r["path"], [read(r["path"])],
              numbers(r["expected"], ";", "="))
             for r in corpus.rows("index.tsv") if r["kind"] == "html"])


def html_parts(path):
    """The decoded text/html parts of a message, as Python sees them."""
    message = email.message_from_bytes(read(path))
    return [p.get_payload(decode=True) or b"" for p in message.walk()
            if p.get_content_type() == "text/html"]


def test_messages():
    """The html parts of messages."""
    compare([(r["path"], html_parts(r["path"]),
              numbers(corpus.field(r["expected"], "links"), " ", ":"))
             for r in corpus.rows("index.tsv") if r["kind"] in MAIL_KINDS and
             corpus.field(r["expected"], "links")])


def test_counting():
    """The rules over a small text; a wrong number finds no reason."""
    text = (b'<a href=" http://x">x</a><a href="#">x</a><a href="">x</a>'
            b'<a href="mailto:a@x">x</a><area href="{{x}}"><a href="/x">'
            b'<!--[if mso]><v:rect href="HTTPS://x"><![endif]-->'
            b'<!-- <a href="http://y"> --><img><a name=x></body>')
    ours = total([text])
    tap.equal(ours, {"http": 1, "frag": 1, "empty": 1, "mailto": 1,
                     "merge": 1, "other": 1, "area": 1, "cc": 1,
                     "cchref": 1, "img": 1, "body": 1})
    tap.equal(reason_for([text], ours, dict(ours, http=2)), "")
    tap.equal(reason_for([text], ours, dict(ours, body=2)), "")


def main():
    """Runs all points; those over the corpus are skipped without it."""
    points = [("the rules of counting", test_counting)]
    for name, test in (("links of templates", test_templates),
                       ("links of messages", test_messages)):
        def check(test=test):
            if not corpus.is_there():
                raise tap.Skip("no corpus")
            test()
        points.append((name, check))
    return tap.run(points)


if __name__ == "__main__":
    sys.exit(main())
