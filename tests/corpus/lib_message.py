"""A message cut into its fields, its body and its parts.

Python's email package finds the parts; nothing here knows what is to be done
with them.
"""
import email
import re

MIME_FIELDS = ("content-type", "content-transfer-encoding")
FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
CODING_FIELD = re.compile(
    rb"(?im)^content-transfer-encoding[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*")


def canonical(text):
    """As SMTP carries it: no From_ line, every line ends with CRLF.

    Of several CR before an LF Postfix keeps none.
    """
    if text.startswith((b"From ", b">From ")):
        text = text.partition(b"\n")[2]
    if text and not text.endswith(b"\n"):
        text += b"\n"
    return re.sub(rb"\r*\n", b"\r\n", text)


def split(text):
    """([(name, value)], body): the header ends where Postfix ends it."""
    fields, at = [], 0
    while at < len(text):
        end = text.find(b"\n", at) + 1 or len(text)
        line = text[at:end]
        if line in (b"\r\n", b"\n"):
            at = end
            break
        if fields and line[:1] in (b" ", b"\t"):
            fields[-1][1] += line
        else:
            match = FIELD.match(line)
            if match is None:
                break
            fields.append([match.group(1), line[match.end():]])
        at = end
    return [(name, value[:-2] if value.endswith(b"\r\n") else value)
            for name, value in fields], text[at:]


def join(fields, body):
    """A message of these, with nothing left to guess."""
    return b"".join(n + b":" + v + b"\r\n" for n, v in fields) + \
        b"\r\n" + body


def values(fields, name):
    """The values of all fields of a name, unfolded."""
    return [re.sub(rb"\r\n(?=[ \t])", b"", v).strip() for n, v in fields
            if n.lower() == name.lower()]


def decode_qp(raw):
    """Quoted-printable after RFC 2045: blanks at line ends do not count."""
    raw = re.sub(rb"[ \t]+(?=\r?\n|\Z)", b"", raw)
    return re.sub(rb"=(?:\r?\n|\Z|([0-9A-Fa-f]{2}))",
                  lambda m: bytes.fromhex((m.group(1) or b"").decode()), raw)


class Leaf:
    """A part without parts in it."""

    def __init__(self, part, above):
        self.type = part.get_content_type()
        self.charset = _charset(part)
        self.above = above
        self.coding = _coding(part)
        self.is_attachment = str(part.get(
            "content-disposition", "")).strip().lower().startswith(
                "attachment")
        self.odd_header = _has_8bit(part)
        self.has_filename = bool(part.get_filename())
        self.text = part.get_payload(decode=True) or b""
        del part["content-transfer-encoding"]
        self.raw = part.get_payload(decode=True) or b""
        self.odd = not self.raw.isascii()
        if self.coding == "quoted-printable":
            self.text = decode_qp(self.raw)

    def is_html(self):
        """Whether links are looked for in it."""
        return self.type == "text/html"


class Node:
    """A part with parts in it."""

    def __init__(self, part, above):
        self.type, self.above, self.coding = \
            part.get_content_type(), above, _coding(part)
        self.inside = []  # leaves and nodes, at any depth
        self.odd = any(ord(c) > 127 for c in
                       (part.preamble or "") + (part.epilogue or ""))
        self.odd_header = _has_8bit(part)


def _coding(part):
    coding = str(part.get("content-transfer-encoding", ""))
    return re.sub(r"\(.*?\)|\s", "", coding).lower()


def _has_8bit(part):
    """In its header as it came."""
    return any(ord(c) > 127 for n, v in part.raw_items() for c in str(v))


def _charset(part):
    try:
        return (part.get_content_charset() or "").strip()
    except (LookupError, ValueError):
        return "?"


class Tree:
    """The leaves of a message and what is wrong with it."""

    def __init__(self, text):
        fields, body = split(text)
        # Python ends a line at a CR alone, too.
        fields = [(n, re.sub(rb"\r(?!\n)", b" ", v)) for n, v in fields]
        self.leaves, self.defects, self.repeats = [], [], False
        self.nodes = []
        self._add(email.message_from_bytes(join(fields, body)), (), ())

    def _add(self, part, above, nodes):
        kind = part.get_content_type()
        if not any(a.startswith("message/") for a in above):
            self.defects += [type(d).__name__ for d in part.defects]
            self.repeats |= any(
                len(part.get_all(name, [])) > 1 for name in MIME_FIELDS)
        if part.is_multipart():
            self.nodes.append(Node(part, above))
            found = self.nodes[-1]
            for child in part.get_payload():
                self._add(child, above + (kind,), nodes + (found,))
        else:
            self.leaves.append(Leaf(part, above))
            found = self.leaves[-1]
        for node in nodes:
            node.inside.append(found)


class Lost(Exception):
    """A part is not where it should be."""


def _find(text, raw, at, what):
    found = text.find(raw, at)
    if found < 0:
        raise Lost("%s part not found again" % what)
    return found


def put_back(original, output, pairs):
    """The output's body with each changed part's raw text as it was.

    pairs: (leaf of the original, leaf of the output), in their order; those
    that did not change say where to look for those that did.
    """
    done, here, there = b"", 0, 0
    for old, new in pairs:
        if old.raw == new.raw and (original.find(old.raw, here) < 0 or
                                   output.find(new.raw, there) < 0):
            continue
        before = _find(original, old.raw, here, old.type)
        after = _find(output, new.raw, there, new.type)
        head = output[there:after]
        if old.coding != new.coding and old.raw != new.raw:
            head = _coding_back(original[here:before], head)
        done += head + old.raw
        here, there = before + len(old.raw), after + len(new.raw)
    return done + output[there:]


def labels_back(original, output):
    """(output, n): n lines that now say 7bit say again what they said."""
    was, now = original.split(b"\r\n"), output.split(b"\r\n")
    changed = 0
    for number, (old, new) in enumerate(zip(was, now)):
        if old != new and new.lower() == \
                b"content-transfer-encoding: 7bit" and re.match(
                    rb"(?i)content-transfer-encoding\s*:\s*(8bit|binary)",
                    old):
            now[number], changed = old, changed + 1
    return b"\r\n".join(now), changed


def _coding_back(original, output):
    """A part's header with the Content-Transfer-Encoding that it had."""
    header = original[original.rfind(b"\n--") + 1:]
    was = CODING_FIELD.search(header)
    found = list(CODING_FIELD.finditer(output))
    if not found:
        return output
    return (output[:found[-1].start()] + (was.group() if was else b"") +
            output[found[-1].end():])
