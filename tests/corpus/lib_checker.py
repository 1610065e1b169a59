"""What a message may look like after Bulkhead: given what went in and what
came out, everything that is wrong with it.

Works on bytes alone; the world it needs (DKIM records, what a token says) is
handed in.  See README.md for the list of properties.
"""
import collections
import difflib
import email.utils
import re

import lib_html
import lib_message

LINE_MAX = 998
ADDED = {b"date", b"message-id", b"list-unsubscribe", b"feedback-id",
         b"list-unsubscribe-post", b"cfbl-address", b"dkim-signature",
         b"content-transfer-encoding", b"mime-version"}
IDENTITY = ("", "7bit", "8bit", "binary")
CLAIMS = ("8bit", "binary")
CONTROL = re.compile(
    rb"(?i)x-(bulkhead|mc|ses|mailgun|msys|mailjet|mj|smtpeter|greenarrow|pm|"
    rb"mailin|virtual|dkim|sending|postal)-|mj-|seseu-|"
    rb"x-(smtpapi|envid|fbl|job)$")
HIDES_ASCII = re.compile(r"iso-2022|^hz|utf-?7|utf-?16|utf-?32|ucs-|ebcdic|"
                         r"cp037|ibm")
FATAL_DEFECTS = {
    "NoBoundaryInMultipartDefect", "StartBoundaryNotFoundDefect",
    "CloseBoundaryNotFoundDefect", "MissingHeaderBodySeparatorDefect",
    "InvalidMultipartContentTransferEncodingDefect",
    "MultipartInvariantViolationDefect"}


class World:
    """What the checker must know of the installation."""

    def __init__(self, verify, open_tokens, bases, signers, encodes=True):
        self.verify = verify            # bytes -> {(d, s): valid}
        self.open_tokens = open_tokens  # [url] -> [{"kind":, "url":}]
        self.bases = bases              # tracking-url of each domain
        self.signers = signers          # domain -> its selectors
        self.encodes = encodes          # whether parts are made fit for hops


class Result:
    """What one message gave."""

    def __init__(self):
        self.violations = []
        self.left = collections.Counter()  # reason -> parts not tracked
        self.spared = collections.Counter()  # reason -> links not tracked
        self.links = 0      # tracked
        self.pixels = 0
        self.html = 0       # parts that are to be tracked
        self.exact = 0      # of them with exactly the expected links
        self.parts = self.same = 0  # as they came
        self.encoded = 0    # parts that no hop needs to convert any more
        self.signed = False
        self.touched = False

    def wrong(self, sort, text):
        """One more violation; the sort is for counting."""
        self.violations.append("%s: %s" % (sort, text))


def usable_from(fields):
    """Whether From is one address.

    Members without a domain come from display names with an unquoted comma;
    an address that does not stand there as it was read is a guess.
    """
    found = lib_message.values(fields, b"From")
    if len(found) != 1:
        return False
    text = found[0].decode("utf-8", "replace")
    read = [a for _, a in email.utils.getaddresses([text])
            if re.fullmatch(r"[^@\s]+@[^@\s]+", a)]
    return len(read) == 1 and read[0] in text


def is_sealed(leaf):
    """Whether nobody may change anything in it."""
    return any(a in ("multipart/signed", "multipart/encrypted") or
               a.startswith("message/") for a in leaf.above) or \
        leaf.type in ("application/pkcs7-mime", "application/x-pkcs7-mime") \
        or leaf.type.startswith("message/")


def is_strict(leaf):
    """Whether all readers decode a part alike."""
    if leaf.coding == "base64":
        digits = re.sub(rb"\s", b"", leaf.raw)
        return len(digits) % 4 == 0 and bool(
            re.fullmatch(rb"[A-Za-z0-9+/]*={0,2}", digits))
    if leaf.coding == "quoted-printable":
        return bool(re.fullmatch(
            rb"(?:[^=\r\n]|=[0-9A-Fa-f]{2}|=?\r\n)*", leaf.raw)) and \
            not re.search(rb"[ \t](?:\r\n|\Z)", leaf.raw)
    return leaf.coding in IDENTITY


def is_inline_pgp(leaf):
    """Whether it is text that says it is signed or encrypted itself."""
    return leaf.type.startswith("text/") and b"-----BEGIN PGP " in leaf.raw


def fits(raw):
    """Whether no hop has a reason to change it."""
    return not re.search(rb"[\0\x80-\xff]|\r(?!\n)|(?<!\r)\n", raw) and \
        not _long(raw)


def is_malformed(tree):
    """Whether its parts are anybody's guess."""
    return bool(FATAL_DEFECTS & set(tree.defects)) or tree.repeats


def must_encode(tree, leaf):
    """Why a part has to get another encoding, or ""."""
    if fits(leaf.raw) or is_sealed(leaf) or is_malformed(tree) or \
            not is_strict(leaf) or is_inline_pgp(leaf):
        return ""
    return "a long line" if _long(leaf.raw) else "8-bit octets"


def due_label(node, malformed):
    """What a multipart's transfer encoding has to say afterwards.

    node: as it is afterwards, but for its coding, which is as it was.
    """
    if node.coding not in CLAIMS or malformed or is_sealed(node) or node.odd:
        return node.coding
    if any(i.coding in CLAIMS or i.odd_header or i.odd for i in node.inside):
        return node.coding
    return "7bit"


def why_left(tree, leaf, original):
    """Why a part must not be touched, or "": by what documentation says."""
    body = lib_message.split(original)[1]
    sealed = {"multipart/signed", "multipart/encrypted"}
    for claim, reason in (
            (re.search(rb"\r(?!\n)|(?<!\r)\n", body), "CR or LF alone"),
            (FATAL_DEFECTS & set(tree.defects), "malformed MIME"),
            (tree.repeats, "repeated MIME fields"),
            (leaf.is_attachment, "attachment"),
            (leaf.has_filename, "filename"),
            (sealed & set(leaf.above), "signed or encrypted"),
            (any(a.startswith("message/") for a in leaf.above),
             "inside message/*"),
            (HIDES_ASCII.search(leaf.charset), "charset hides ASCII"),
            (b"\x1b" in leaf.text, "escape sequences"),
            (leaf.text[:2] in (b"\xff\xfe", b"\xfe\xff"), "UTF-16"),
            (b"-----BEGIN PGP " in leaf.text, "inline PGP"),
            (_is_odd_coding(leaf), "transfer encoding readers disagree on")):
        if claim:
            return reason
    return ""


def _is_odd_coding(leaf):
    """Base64 that is cut or goes on behind its padding; unknown names.

    More padding than needed is read alike by all.
    """
    if leaf.coding == "base64":
        data = re.sub(rb"[^A-Za-z0-9+/=]", b"", leaf.raw)
        bare = data.rstrip(b"=")
        whole = (len(bare) + 3) // 4 * 4
        return b"=" in bare or len(bare) % 4 == 1 or len(data) < whole
    return leaf.coding not in ("", "7bit", "8bit", "binary",
                               "quoted-printable")


class Check:
    """One message's comparison."""

    def __init__(self, original, output, world):
        self.original = lib_message.canonical(original)
        self.output = output
        self.world = world
        self.result = Result()
        self.before = lib_message.split(self.original)
        self.after = lib_message.split(output)
        self.changed_coding = False
        self.relabelled = 0  # transfer encodings within the body

    def run(self):
        """All properties; the Result."""
        self._lines()
        if not usable_from(self.before[0]) and not self._is_signed():
            if self._same():
                return self.result
            self.result.wrong("identical", "unsigned, but not as it came")
        self._signatures()
        self._body()
        self._fields()
        return self.result

    def _is_signed(self):
        return len(lib_message.values(self.after[0], b"DKIM-Signature")) > \
            len(lib_message.values(self.before[0], b"DKIM-Signature"))

    def _same(self):
        return _loose(self.before[0]) == _loose(self.after[0]) and \
            self.before[1] == self.after[1]

    def _lines(self):
        """Nothing that SMTP cannot carry, unless it came so."""
        if re.search(rb"(?<!\r)\n", self.output):
            self.result.wrong("line", "LF alone")
        if len(re.findall(rb"\r(?!\n)", self.output)) > \
                len(re.findall(rb"\r(?!\n)", self.original)):
            self.result.wrong("line", "CR alone")
        if not self.world.encodes and \
                len(_long(self.output)) <= len(_long(self.original)):
            return  # edits beside text that was too long already
        came = collections.Counter(_long(self.original))
        for line, times in collections.Counter(_long(self.output)).items():
            if times > came[line]:
                self.result.wrong("line", "%d octets long: %r" % (
                    len(line), line[:60]))

    def _signatures(self):
        """Every signature of ours verifies, and all of one domain are."""
        found = self.world.verify(self.output)
        ours = {d for d, _ in found if d in self.world.signers}
        if not ours:
            self.result.wrong("signature", "not signed")
        for domain in ours:
            for selector in self.world.signers[domain]:
                if not found.get((domain, selector)):
                    self.result.wrong("signature", "%s of %s: %s" % (
                        selector, domain, found.get((domain, selector))))
        self.result.signed = bool(ours)

    def _fields(self):
        """The fields that came are there, in order; only known ones new."""
        old, new = self._refolded(_loose(self.before[0]),
                                  _loose(self.after[0]))
        matcher = difflib.SequenceMatcher(None, old, new, False)
        for tag, a, b, c, d in matcher.get_opcodes():
            if tag == "equal":
                continue
            for name, value in old[a:b]:
                self._lost_field(name, value)
            for name, value in new[c:d]:
                self._new_field(name, value)

    def _refolded(self, old, new):
        """Both, with the folds of fields that had too long a line undone."""
        long = {(n, _relaxed(v)) for n, v in old if _long(n + b":" + v)}
        if not long or not self.world.encodes:
            return old, new
        return tuple([(n, _relaxed(v) if (n, _relaxed(v)) in long else v)
                      for n, v in fields] for fields in (old, new))

    def _lost_field(self, name, value):
        before = lib_message.values(self.before[0], name)
        if name == b"dkim-signature" and self.result.touched:
            return
        if name == b"dkim-signature" and self._covers_edit(value):
            return
        if name == b"content-transfer-encoding" and self.changed_coding:
            return
        if name in (b"list-unsubscribe", b"list-unsubscribe-post") and \
                (len(before) > 1 or (name.endswith(b"-post") and not
                 lib_message.values(self.before[0], b"List-Unsubscribe"))):
            return
        if CONTROL.match(name):
            return
        self.result.wrong("field", "lost %r" % (name + b":" + value)[:100])

    def _covers_edit(self, signature):
        """Whether a signature named a field that we added or removed."""
        tag = re.search(rb"(?:^|;)\s*h\s*=([^;]*)", signature)
        covered = {n.strip().lower() for n in tag.group(1).split(b":")} \
            if tag else set()
        return bool(covered & (ADDED | {n for n, _ in _loose(
            self.before[0]) if CONTROL.match(n)}))

    def _new_field(self, name, value):
        if name not in ADDED:
            self.result.wrong("field", "new %r" % (name + b":" + value)[:100])
        elif name == b"content-transfer-encoding":
            if not self.changed_coding:
                self.result.wrong("field", "new transfer encoding")
        elif name != b"dkim-signature":
            if len(lib_message.values(self.after[0], name)) > 1:
                self.result.wrong("field", "now twice: %r" % name)

    def _body(self):
        """Parts, and everything between them."""
        was = lib_message.Tree(self.original)
        if self.before[1] == self.after[1] and \
                self._root_coding(self.before) == \
                self._root_coding(self.after):
            now = was
            pairs = [(p, p) for p in was.leaves]
        else:
            now = lib_message.Tree(self.output)
            if [p.type for p in was.leaves] != [p.type for p in now.leaves]:
                self.result.wrong("parts", "was %s, is %s" % (
                    [p.type for p in was.leaves],
                    [p.type for p in now.leaves]))
                return
            pairs = list(zip(was.leaves, now.leaves))
            self.result.touched = True
        self.strays = bool(re.search(rb"\r(?!\n)|(?<!\r)\n",
                                     self.before[1]))
        unsubscribe = self._unsubscribe_urls()
        for old, new in pairs:
            self._part(was, old, new, unsubscribe)
        self._labels(was, now)
        for old, new in pairs:
            if old.raw == new.raw and old.coding != new.coding:
                self._relabel(old)
        self._between(pairs)

    @staticmethod
    def _root_coding(message):
        return lib_message.values(message[0], b"Content-Transfer-Encoding")

    def _labels(self, was, now):
        """Multiparts say 8bit when something in them is, and only then."""
        if len(was.nodes) != len(now.nodes):
            self.result.wrong("parts", "nested otherwise")
            return
        malformed = is_malformed(was) or self.strays or \
            not self.world.encodes
        for old, new in zip(was.nodes, now.nodes):
            said, new.coding = new.coding, old.coding
            due = due_label(new, malformed)
            new.coding = said
            if due != said and not (self.strays and said == "7bit"):
                self.result.wrong("label", "%s: was %s, says %s, want %s" % (
                    old.type, old.coding, said, due))
            if old.coding != said:
                self._relabel(old)

    def _relabel(self, part):
        """One more transfer encoding that says something else."""
        self.relabelled += bool(part.above)
        self.changed_coding |= not part.above

    def _unsubscribe_urls(self):
        found = lib_message.values(self.before[0], b"List-Unsubscribe")
        return [u.decode("utf-8", "replace") for u in
                re.findall(rb"<\s*([^>]*?)\s*>", found[0])] if found else []

    def _between(self, pairs):
        """With the raw parts put back, the body is what it was."""
        for old, new in pairs:
            if not old.above and old.coding != new.coding:
                self.changed_coding = True
        try:
            back = lib_message.put_back(self.before[1], self.after[1],
                                        pairs)
        except lib_message.Lost as e:
            self.result.wrong("between", str(e))
            return
        back, undone = lib_message.labels_back(self.before[1], back)
        if undone != self.relabelled:
            self.result.wrong("between", "%d labels changed, %d wanted" % (
                undone, self.relabelled))
        if back != self.before[1]:
            at = next((i for i, (a, b) in enumerate(
                zip(back, self.before[1])) if a != b), 0)
            self.result.wrong("between", "differs at %d: %r, was %r" % (
                at, back[at:at + 60], self.before[1][at:at + 60]))

    def _part(self, tree, old, new, unsubscribe):
        self.result.parts += 1
        self.result.same += old.raw == new.raw
        encoded = self._encoded(tree, old, new)
        left = why_left(tree, old, self.original)
        if left and old.is_html():
            self.result.left[left] += 1
        if left or old.type not in ("text/html", "text/plain"):
            if old.raw != new.raw and (not encoded or old.text != new.text):
                self.result.wrong("part", "%s changed: %s" % (old.type, left))
            return
        try:
            way = lib_html.Reversal(old.text, new.text, old.charset,
                                    self.world.bases)
        except lib_html.Broken as e:
            self.result.wrong("part", "%s: %s" % (old.type, e))
            return
        if not encoded:
            self._raw_lines(old, new, way)
        if old.is_html() and not left:
            self._links(old, way, unsubscribe)
        elif way.clicks or way.pixels or way.nremoved:
            self.result.wrong("links", "tracked: %s %s" % (old.type, left))

    def _encoded(self, tree, old, new):
        """Whether the part was made fit for any hop, and rightly."""
        why = must_encode(tree, old) if self.world.encodes else ""
        is_anew = new.coding in ("quoted-printable", "base64") and \
            fits(new.raw)
        if why and not (is_anew or self.strays):
            self.result.wrong("encoding", "%s in %s is left as %s" % (
                why, old.type, new.coding))
        if is_anew and not old.type.startswith("text/") and \
                new.coding != old.coding != "base64" != new.coding:
            self.result.wrong("encoding", "%s became %s" % (
                old.type, new.coding))
        label = old.coding
        if self.world.encodes and old.coding in CLAIMS and \
                not is_sealed(old) and not is_malformed(tree) and \
                not is_inline_pgp(old) and old.raw.isascii():
            label = "7bit"
        if not is_anew and new.coding != label and not self.strays:
            self.result.wrong("label", "%s: was %s, is %s" % (
                old.type, old.coding, new.coding))
        self.result.encoded += bool(why and is_anew)
        return is_anew and bool(why or self.strays)

    def _raw_lines(self, old, new, way):
        """Encoded lines without an edit stay as they came."""
        if new.coding not in (old.coding, "7bit") or old.coding == "base64":
            self._recoded(old, new)
            return
        gone = collections.Counter(old.raw.split(b"\r\n"))
        gone.subtract(new.raw.split(b"\r\n"))
        lines = sum(n for n in gone.values() if n > 0)
        edits = len(way.clicks) + len(way.pixels) + len(way.unsubscribes) + \
            way.nremoved
        spare = sum(len(url or "") // 10 for _, url in way.clicks)
        if lines > 3 * edits + spare:
            self.result.wrong("encoding", "%d lines changed for %d edits" % (
                lines, edits))

    def _recoded(self, old, new):
        if old.coding == new.coding:
            same = _common_lines(old.text, new.text)
            kept = _common_lines(old.raw, new.raw)
            line = max(len(x) for x in old.raw.split(b"\r\n"))
            if kept < same * 4 // 3 - 400 - line:  # anew from a line's start
                self.result.wrong("encoding", "base64 anew from %d, edit "
                                  "at %d" % (kept, same))
        elif new.coding not in ("quoted-printable", "base64"):
            self.result.wrong("encoding", "%s became %s" % (
                old.coding, new.coding))

    def _links(self, old, way, unsubscribe):
        """Exactly the links that are due, each with its own URL."""
        self.result.html += 1
        page = lib_html.page(old.text, old.charset)
        hosts = {re.sub("^https?://", "", b) for b in self.world.bases}
        wanted = [x for x in page.links
                  if x.why_not(unsubscribe, hosts) is None]
        self.result.spared.update(
            x.why_not(unsubscribe, hosts) for x in page.links)
        self.result.spared["a style sheet"] += page.style_sheets
        self.result.spared["counted twice"] += page.revealed
        said = self.world.open_tokens([u for u, _ in way.clicks])
        # html5lib, as the standard has it, reads NUL as U+FFFD.
        urls = [t["url"].replace("\0", "\ufffd")
                if t.get("kind") == "click" else None for t in said]
        for url, (token, was) in zip(urls, way.clicks):
            if url != was:
                self.result.wrong("token", "says %r, was %r (%s)" % (
                    url, was, token.decode()))
        self.result.links += len(urls)
        self._compare([x.url for x in wanted], [w for _, w in way.clicks])
        removed = sum(len(x.opt_outs) for x in page.links)
        if removed != way.nremoved:
            self.result.wrong("links", "%d opt-outs removed, want %d" % (
                way.nremoved, removed))
        self.result.pixels += len(way.pixels)
        due = int(lib_html.pixel_is_hidden(old.text, page.has_end))
        if len(way.pixels) != due:
            self.result.wrong("pixel", "%d of them, want %d" % (
                len(way.pixels), due))

    def _compare(self, wanted, got):
        wanted = [u for u in wanted if not is_too_long(u)]
        got = [u for u in got if not is_too_long(u or "")]
        if wanted == got:
            self.result.exact += 1
            return
        lost = collections.Counter(wanted)
        lost.subtract(got)
        self.result.wrong("links", "want %d, got %d; missed %r, too many %r"
                          % (len(wanted), len(got),
                             [u for u, n in lost.items() if n > 0][:3],
                             [u for u, n in lost.items() if n < 0][:3]))


def is_too_long(url):
    """Whether a token may refuse it: 2,000 octets of base64url hold 1,500,
    of which other fields take up to a few hundred."""
    return len(url.encode("utf-8", "replace")) > 1100


def _common_lines(a, b):
    """Octets of the lines that both begin with."""
    total = 0
    for x, y in zip(a.split(b"\n"), b.split(b"\n")):
        if x != y:
            break
        total += len(x) + 1
    return total


def _loose(fields):
    """Names folded, and without the blank that MTAs put behind a colon."""
    return [(n.lower(), re.sub(rb"^[ \t]", b"", v)) for n, v in fields]


def _relaxed(value):
    """RFC 6376 section 3.4.2."""
    return re.sub(rb"[ \t\r\n]+", b" ", value).strip()


def _long(text):
    return [x for x in text.split(b"\r\n") if len(x) > LINE_MAX]


def check(original, output, world):
    """The Result of comparing what came with what left."""
    return Check(original, output, world).run()
