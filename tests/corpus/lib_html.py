"""Which links of an HTML text are to be tracked, by html5lib; and the way
back from a tracked text to the text that it was.

What is to be tracked is written down here a second time, from the
documentation: nothing is taken from the program under test.
"""
import bisect
import codecs
import functools
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def _import_html5lib():
    """The package: a test beside this file has the same name."""
    path = sys.path[:]
    sys.path = [p for p in sys.path if os.path.abspath(p or ".") != HERE]
    try:
        import html5lib
        return html5lib
    finally:
        sys.path = path


html5lib = _import_html5lib()
TOKENS = html5lib.constants.tokenTypes

# attribute -> value that it must have, None: any or none
OPT_OUTS = {"clicktracking": "off", "ses:no-track": None,
            "disable-tracking": "true", "data-pm-no-track": None,
            "data-msys-clicktrack": "0", "data-as-no-track": None,
            "data-ph-no-track": None}


def _valued(name, value):
    """A pattern for an attribute with that value, in any quotes or none."""
    return r"%s\s*=\s*(?:\"\s*%s\s*\"|'\s*%s\s*'|%s)" % (
        name, value, value, value)


OPT_OUT = re.compile((
    r"(?i)[ \t\r\n\f]*(?:(?:ses:no-track|data-(?:pm|as|ph)-no-track)"
    r"(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?|%s|%s|%s)" % (
        _valued("clicktracking", "off"), _valued("disable-tracking", "true"),
        _valued("data-msys-clicktrack", "0"))).encode())
MERGE_TAG = re.compile(r"\{\{|\{%|\*\||%%|\[\[|<%|\$\{|%7B%7B", re.I)
PLACEHOLDER = re.compile(
    rb"(?i)(?:https?://)?(?:\{\{bulkhead-unsubscribe-url\}\}"
    rb"|%7B%7Bbulkhead-unsubscribe-url%7D%7D|\{\{amazonSESUnsubscribeUrl\}\}"
    rb"|%7B%7BamazonSESUnsubscribeUrl%7D%7D"
    rb"|\{\{\{ ?pm:unsubscribe(?:_url)? ?\}\}\}"
    rb"|%(?:mailing_list_|tag_)?unsubscribe_url%"
    rb"|<%asm_group_unsubscribe_(?:raw_)?url%>|\*\|UNSUB\|\*)")
STYLE_SHEET = re.compile(r"(?i)<link\s[^>]*href=[\"']?https?:")
REVEALED = re.compile(r"(?i)<(?:a|area)\s[^>]*href=[\"']?https?:")
CONDITIONAL = re.compile(r"\[if[^\]]*\]>(.*?)(?:<!\[endif\]|\Z)",
                         re.I | re.S)


def _percent(error):
    return "".join("%%%02X" % b for b in
                   error.object[error.start:error.end]), error.end


codecs.register_error("percent", _percent)


def text_of(octets, charset):
    """As characters; what is none of the charset becomes %XX."""
    try:
        return octets.decode(charset or "utf-8", "percent")
    except LookupError:
        return octets.decode("utf-8", "percent")


class _Tokenizer(html5lib._tokenizer.HTMLTokenizer):
    """Tells its parser what it reads, before the tree builder has it."""

    def __iter__(self):
        for token in super().__iter__():
            self.parser.note(token)
            yield token


class _Parser(html5lib.HTMLParser):
    """Remembers the tags in the order of the text."""

    def __init__(self):
        super().__init__()
        self.tags = []
        self.shown = ""

    def mainLoop(self):
        """With a tokenizer that tells."""
        self.tokenizer.__class__ = _Tokenizer
        super().mainLoop()

    def note(self, token):
        """A tag, or a comment that hides some."""
        if token["type"] == TOKENS["StartTag"]:
            self.tags.append((token["name"], dict(token["data"])))
        elif token["type"] == TOKENS["EndTag"]:
            self.tags.append(("/" + token["name"], {}))
        elif token["type"] in (TOKENS["Characters"], TOKENS["SpaceCharacters"]):
            self.shown += token["data"]
        elif token["type"] == TOKENS["Comment"]:
            inside = CONDITIONAL.match(token["data"])
            if inside:
                self.tags += [("[if]" + name, attrs) for name, attrs in
                              tags(inside.group(1))]


def tags(text):
    """[(name, attributes)]: start tags; end tags as "/name"; what is in a
    conditional comment as "[if]name"."""
    parser = _Parser()
    parser.parse(text)
    return parser.tags


def is_markup(text):
    """Does the text end inside a tag, a comment or a doctype?  What stands
    behind it then is no text.
    """
    parser = _Parser()
    parser.parse(text + "behind")
    return not parser.shown.endswith("behind")


def clean(url):
    """WHATWG URL, section 4.4: what does not count in an attribute."""
    url = url.strip("".join(map(chr, range(33))))
    return re.sub("[\t\r\n]", "", url)


class Link:
    """An a, area or VML element with an href."""

    def __init__(self, attrs):
        self.url = clean(attrs["href"])
        self.opt_outs = [a for a, v in OPT_OUTS.items() if a in attrs and
                         v in (None, attrs[a].strip().lower())]
        self.is_unsubscribe = attrs.get(
            "data-msys-unsubscribe", "").strip() == "1"

    def why_not(self, unsubscribe=(), hosts=()):
        """Why it is not tracked, or None.

        As in browsers any number of slashes follows the scheme, and that a
        host is missing shows when the link is followed.
        """
        match = re.match(r"https?:[/\\]*([^/?#\\]*)", self.url, re.I)
        if self.opt_outs:
            return "opted out"
        if match is None:
            return "not http"
        if MERGE_TAG.search(self.url):
            return "merge tag"
        host = match.group(1).rpartition("@")[2].lower()
        if host in hosts:
            return "tracking host"
        if self.is_unsubscribe or self.url in unsubscribe:
            return "unsubscribe"
        return None


def _is_link(name):
    name = name.replace("[if]", "")
    return name in ("a", "area") or name.startswith("v:")


class Page:
    """What html5lib finds in a text."""

    def __init__(self, text):
        self.tags = found = tags(text)
        self.has_end = any(n == "/body" for n, _ in found)
        found = [(n, a) for n, a in found if "href" in a]
        self.links = [Link(a) for n, a in found if _is_link(n)]
        # What a plain search for "href" between [if and [endif] finds too.
        blocks = re.findall(r"(?is)<!--\[if(.*?)<!\[endif\]", text)
        self.style_sheets = sum(len(STYLE_SHEET.findall(b)) for b in blocks)
        self.revealed = sum(len(REVEALED.findall(b)) for b in blocks
                            if re.match(r"[^\]]*\]>\s*<!-*>", b))


@functools.lru_cache(maxsize=64)
def page(octets, charset):
    """The Page of a decoded part."""
    return Page(text_of(octets, charset))


@functools.lru_cache(maxsize=4096)
def attribute(raw, quote, charset):
    """The URL that an attribute's bytes stand for."""
    text = text_of(raw, charset)
    found = tags("<a href=%s%s%s>" % (quote, text, quote))
    return clean(found[0][1]["href"]) if found and found[0][1] else None


class Broken(Exception):
    """The original cannot be had back."""


def _common(text, at, piece):
    """How many octets of piece stand at text[at:]."""
    return bisect.bisect_left(
        range(1, len(piece) + 1), True,
        key=lambda n: not text.startswith(piece[:n], at))


def _near(text, at):
    return repr(text[max(at - 40, 0):at + 60])


SHOWN = re.compile(rb"(?i)<(/?)(textarea|xmp|plaintext)(?=[\s/>])")


def pixel_is_hidden(text, has_end):
    """Would a pixel be invisible?  Not so in an unclosed <textarea>, <xmp> or
    <plaintext>, where it would be read; an empty text has no room for one.
    """
    if has_end or not text:
        return bool(text)
    inside = b""
    for close, name in SHOWN.findall(text):
        if not inside and not close:
            inside = name.lower()
        elif close and name.lower() == inside != b"plaintext":
            inside = b""
    return not inside


class Reversal:
    """Walks a tracked text and the original side by side."""

    def __init__(self, original, output, charset, bases):
        self.original, self.output, self.charset = original, output, charset
        self.at = 0
        self.clicks, self.unsubscribes, self.pixels = [], [], []
        self.nremoved = 0
        hosts = b"|".join(re.escape(b.encode()) for b in bases)
        self._ours = re.compile(
            rb'<img src="(?P<open>(?:%s)/o/[\w-]+\.gif)"[^<>]*>'
            rb"|(?P<click>(?:%s)/c/[\w-]+)|(?P<stop>(?:%s)/u/[\w-]+)"
            % (hosts, hosts, hosts))
        self._walk()

    def _walk(self):
        last = 0
        for match in self._ours.finditer(self.output):
            self._literal(self.output[last:match.start()])
            last = match.end()
            if self.original.startswith(match.group(), self.at):
                self.at += len(match.group())  # it was there before
            elif match.lastgroup == "open":
                self._pixel(match)
            elif match.lastgroup == "click":
                self._click(match)
            else:
                self._placeholder(match)
        self._literal(self.output[last:])
        if self.at != len(self.original):
            raise Broken("%d octets are missing behind %s" % (
                len(self.original) - self.at,
                _near(self.original, self.at)))

    def _literal(self, piece):
        """A piece that is as it was, opt-out attributes apart."""
        while not self.original.startswith(piece, self.at):
            same = _common(self.original, self.at, piece)
            gone = self._removed(piece, same)
            if gone is None:
                raise Broken("differs: was %s, is %s" % (
                    _near(self.original, self.at + same),
                    _near(piece, same)))
            self.at, piece = gone
        self.at += len(piece)

    def _removed(self, piece, same):
        """Where both go on behind opt-out attributes that are gone.

        What follows may begin as the attribute does: look back a little.
        """
        for back in range(min(same, 64) + 1):
            rest, at = piece[same - back:], self.at + same - back
            for times in range(1, 4):
                gone = OPT_OUT.match(self.original, at)
                if gone is None:
                    break
                at = gone.end()
                if self.original.startswith(rest[:back + 1], at):
                    self.nremoved += times
                    return at, rest
        return None

    def _pixel(self, match):
        """Before the last </body>, or before the last line break, or before
        the markup that the text ends in the middle of.
        """
        self.pixels.append(match.group("open"))
        rest = self.original[self.at:]
        if page(self.original, self.charset).has_end:
            is_there = rest[:6].lower() == b"</body" and not page(
                rest[6:], self.charset).has_end
        elif is_markup(text_of(self.original, self.charset)):
            before = self.original[:self.at]
            is_there = re.match(rb"<[A-Za-z/!?]", rest) and not is_markup(
                text_of(before, self.charset)) and tags(text_of(
                    before, self.charset)) == page(
                        self.original, self.charset).tags
        else:
            is_there = rest in (b"", b"\n", b"\r\n")
        if not is_there:
            raise Broken("pixel before %s" % _near(rest, 0))

    def _click(self, match):
        quote = self.original[self.at - 1:self.at]
        if quote in (b'"', b"'"):
            end = self.original.find(quote, self.at)
        else:
            quote = b""
            end = re.compile(rb"[^\s>]*").match(self.original, self.at).end()
        if end < 0:
            raise Broken("no attribute at %s" % _near(self.original, self.at))
        raw = self.original[self.at:end]
        self.clicks.append((match.group("click"), attribute(
            raw, quote.decode(), self.charset)))
        self.at = end

    def _placeholder(self, match):
        was = PLACEHOLDER.match(self.original, self.at)
        if was is None:
            raise Broken("unsubscribe URL where was %s" % _near(
                self.original, self.at))
        self.unsubscribes.append(match.group("stop"))
        self.at = was.end()
