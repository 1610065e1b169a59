#!/usr/bin/python3
"""The checker of properties finds what is planted, and nothing else.

Needs neither a corpus nor a build: tokens and signatures are pretended.
"""
import base64
import quopri
import re
import sys

sys.dont_write_bytecode = True
import corpus  # noqa: E402,F401  (for the path to tap)
import lib_checker  # noqa: E402
import lib_message  # noqa: E402
import tap  # noqa: E402

BASE = "https://t.example.com"
FIELDS = [(b"From", b" News <news@example.com>"), (b"To", b" a@b.example"),
          (b"Subject", b" folded\r\n subject"), (b"MIME-Version", b" 1.0"),
          (b"Date", b" Mon, 05 Jan 2026 08:00:00 +0000"),
          (b"Message-ID", b" <1@example.com>")]
SIGNATURES = [(b"DKIM-Signature", b" d=example.com; s=r"),
              (b"DKIM-Signature", b" d=example.com; s=e")]
HTML = (b'<html><body>\r\n<p>Caf\xc3\xa9</p>\r\n'
        b'<a class=x href="http://one.example/?a=1&amp;b=2">1</a>\r\n'
        b"<a href='https://two.example/' clicktracking=off class=y>2</a>\r\n"
        b'<!-- <a href="http://no.example/"> --><a href="mailto:x@y">m</a>\r\n'
        b'<!--[if mso]><v:rect href="http://three.example/"><![endif]-->\r\n'
        b"<a href=http://four.example/ >4</a>\r\n"
        b"<p>%s</p></body></html>\r\n" % (b"filler " * 9))
URLS = ["http://one.example/?a=1&b=2", "http://three.example/",
        "http://four.example/"]
RAW = [b"http://one.example/?a=1&amp;b=2", b"http://three.example/",
       b"http://four.example/"]


def url_of(n, kind=b"c"):
    """A tracking URL; its token is its number."""
    return BASE.encode() + b"/" + kind + b"/token%d" % n


def track(html, numbers=(0, 1, 2), pixel=True, opt_out=True):
    """As Bulkhead is to do it; less for what is planted."""
    for n in numbers:
        html = html.replace(RAW[n], url_of(n), 1)
    if opt_out:
        html = html.replace(b" clicktracking=off", b"")
    image = b'<img src="%s.gif" width="1" alt="">' % url_of(9, b"o")
    return html.replace(b"</body>", image + b"</body>") if pixel else html


def encode(text, coding):
    """A body in a transfer encoding."""
    if coding == b"quoted-printable":
        return quopri.encodestring(text.replace(b"\r\n", b"\n")).replace(
            b"\n", b"\r\n")
    if coding == b"base64":
        return base64.encodebytes(text).replace(b"\n", b"\r\n")
    return text


def mail(html, coding=b"quoted-printable", fields=None, attachment=b"A\r\nB",
         preamble=b"This is MIME.\r\n", kind=b"text/html; charset=utf-8"):
    """A message with an HTML part between two others."""
    fields = FIELDS if fields is None else fields
    fields = fields + [(b"Content-Type", b" multipart/mixed; boundary=zz")]
    body = preamble + b"\r\n".join([
        b"--zz", b"Content-Type: text/plain", b"",
        b"http://one.example/ plain", b"--zz", b"Content-Type: " + kind,
        b"Content-Transfer-Encoding: " + coding, b"",
        encode(html, coding) + b"--zz",
        b"Content-Type: application/octet-stream", b"", attachment,
        b"--zz--", b"epilogue", b""])
    return lib_message.join(fields, body)


def open_tokens(urls):
    """token0 is the first URL, and so on."""
    found = []
    for url in urls:
        n = int(re.search(rb"/c/token(\d)", url).group(1))
        found.append({"kind": "click", "url": (URLS + ["?"] * 9)[n]})
    return found


def verify(text):
    """Every signature that is there is good."""
    return {("example.com", s): True for s in re.findall(
        r"(?m)^DKIM-Signature: d=example\.com; s=(\w)", text.decode(
            "latin-1"))}


def sorts(original, output, **other):
    """What sorts of violation the checker finds."""
    world = lib_checker.World(verify, open_tokens, [BASE],
                              {"example.com": ("r", "e")})
    world.__dict__.update(other)
    result = lib_checker.check(original, output, world)
    return sorted({v.partition(":")[0] for v in result.violations}), result


def expect(wanted, original, output, **other):
    """Exactly these sorts."""
    got, result = sorts(original, output, **other)
    tap.true(got == wanted, "got %s, want %s:\n%s" % (
        got, wanted, "\n".join(result.violations)))


def good(html=None, coding=b"quoted-printable", **other):
    """A tracked and signed message."""
    return mail(track(HTML) if html is None else html, coding,
                SIGNATURES + other.pop("fields", FIELDS), **other)


def test_accepts_what_is_right():
    """Every encoding, with its links counted."""
    for coding in (b"quoted-printable", b"base64", b"8bit"):
        got, result = sorts(mail(HTML, coding), good(coding=coding),
                            encodes=False)
        tap.true(got == [], "\n".join(result.violations))
        tap.equal((result.links, result.pixels, result.exact), (3, 1, 1))


def test_accepts_a_new_encoding():
    """8bit that became quoted-printable, as a part and as the root."""
    expect([], mail(HTML, b"8bit"), good())
    got, result = sorts(mail(HTML, b"8bit"), good(
        track(HTML)[:-2], b"base64"))
    tap.equal((result.violations, result.encoded), ([], 1))
    kind = [(b"Content-Type", b" text/html; charset=utf-8")]
    qp = encode(track(HTML), b"quoted-printable")
    expect([], lib_message.join(FIELDS + kind, HTML),
           lib_message.join(SIGNATURES + FIELDS + kind + [(
               b"Content-Transfer-Encoding", b" quoted-printable")], qp))
    expect(["label"], mail(HTML), good(fields=FIELDS + [(
        b"Content-Transfer-Encoding", b" 8bit")]))


def test_missed_encoding():
    """8 bits or a long line are left, of any part; or that is not due."""
    expect(["encoding"], mail(HTML, b"8bit"), good(coding=b"8bit"))
    long = b"x" * 999
    expect(["encoding"], mail(HTML, attachment=long), good(attachment=long))
    expect(["encoding"], mail(HTML, attachment=b"\xe9"),
           good(attachment=b"\xe9"))
    expect([], mail(HTML, attachment=b"\xe9"), recoded(b"base64", b"6Q=="))
    expect(["part"], mail(HTML, attachment=b"\xe9"),
           recoded(b"base64", b"6g=="))
    expect(["encoding"], mail(HTML, attachment=b"\xe9"),
           recoded(b"quoted-printable", b"=E9"))
    expect(["part"], mail(HTML, attachment=b"e"), recoded(b"base64", b"ZQ=="))


def recoded(coding, attachment):
    """The attachment in another encoding."""
    octets = b"application/octet-stream\r\n"
    return good(attachment=attachment).replace(
        octets, octets + b"Content-Transfer-Encoding: %s\r\n" % coding)


def test_labels():
    """8bit is said where it is so, of a multipart and of a part."""
    eight = [(b"Content-Transfer-Encoding", b" 8bit")]
    seven = [(b"Content-Transfer-Encoding", b" 7bit")]
    expect([], mail(HTML, fields=FIELDS + eight), good(fields=FIELDS + seven))
    expect(["label"], mail(HTML, fields=FIELDS + eight),
           good(fields=FIELDS + eight))
    odd = {"preamble": b"\xe9\r\n"}
    expect(["label"], mail(HTML, fields=FIELDS + eight, **odd),
           good(fields=FIELDS + seven, **odd))
    expect([], mail(HTML, fields=FIELDS + eight, **odd),
           good(fields=FIELDS + eight, **odd))
    before = mail(HTML, attachment=b"e").replace(
        b"octet-stream\r\n", b"octet-stream\r\n"
        b"Content-Transfer-Encoding: binary\r\n")
    expect([], before, recoded(b"7bit", b"e"))
    expect(["label"], before, recoded(b"binary", b"e"))


def test_folded_fields():
    """Only where a line was too long."""
    long = [(b"X-Long", b" " + b"x" * 600 + b" " + b"y" * 600)]
    short = [(n, v.replace(b" y", b"\r\n y")) for n, v in long]
    expect([], mail(HTML, fields=FIELDS + long), good(fields=FIELDS + short))
    expect(["field", "line"], mail(HTML, fields=FIELDS + short), good(
        fields=FIELDS + long))


def test_changed_byte():
    """One octet of text, in every encoding."""
    for coding in (b"quoted-printable", b"base64", b"8bit"):
        expect(["part"], mail(HTML, coding), good(
            track(HTML).replace(b"filler", b"fillet", 1), coding),
            encodes=False)


def test_lost_bytes():
    """The end of a part is gone; white space is gone."""
    expect(["part"], mail(HTML), good(track(HTML)[:-20] + b"\r\n"))
    expect(["part"], mail(HTML), good(track(HTML).replace(
        b" class=y", b"class=y")))


def test_missed_link():
    """Each one in turn, in a conditional comment as well."""
    for n in range(3):
        rest = [i for i in range(3) if i != n]
        expect(["links"], mail(HTML), good(track(HTML, rest)))


def test_wrongly_tracked():
    """A mailto, a link in a comment, an opted-out one."""
    for raw in (b"mailto:x@y", b"http://no.example/", b"https://two.example/"):
        got, result = sorts(mail(HTML), good(track(HTML).replace(
            raw, url_of(5))))
        tap.equal(got, ["links", "token"], str(result.violations))


def test_wrong_url():
    """Two links change places; a token of another kind."""
    html = track(HTML).replace(b"token0", b"tokenX").replace(
        b"token1", b"token0").replace(b"tokenX", b"token1")
    expect(["token"], mail(HTML), good(html))
    expect(["token"], mail(HTML), good(), open_tokens=lambda urls: [
        {"kind": "open", "url": u} for u in urls])


def test_opt_out():
    """Left in, or another attribute taken out."""
    expect(["links"], mail(HTML), good(track(HTML, opt_out=False)))
    expect(["part"], mail(HTML), good(track(HTML).replace(b" class=x", b"")))


def test_pixel():
    """None, two, in the wrong place."""
    expect(["pixel"], mail(HTML), good(track(HTML, pixel=False)))
    image = b'<img src="%s.gif" alt="">' % url_of(9, b"o")
    expect(["pixel"], mail(HTML), good(track(HTML).replace(
        b"</body>", image + b"</body>")))
    expect(["part"], mail(HTML), good(track(HTML, pixel=False).replace(
        b"<p>f", image + b"<p>f")))


def test_parts():
    """One lost, one changed, the preamble, a boundary's blank."""
    whole = good()
    lost = whole.replace(b"--zz\r\nContent-Type: application/octet-stream"
                         b"\r\n\r\nA\r\nB\r\n", b"")
    expect(["parts"], mail(HTML), lost)
    expect(["part"], mail(HTML), good(attachment=b"A\r\nC"))
    expect(["between"], mail(HTML), good(preamble=b"This was MIME.\r\n"))
    expect(["between"], mail(HTML), whole.replace(b"\r\n--zz--",
                                                  b"\r\n--zz-- "))
    expect(["part"], mail(HTML), whole.replace(b"example/ plain",
                                               b"example/ pl\xc3\xa4in"))


def test_untouchable_part():
    """An attachment stays as it was, and is not missed when it does."""
    kind = b"text/html; charset=utf-8; name=a.html"
    got, result = sorts(mail(HTML, kind=kind), good(HTML, kind=kind))
    tap.equal(got, [], str(result.violations))
    tap.equal(dict(result.left), {"filename": 1})
    expect(["part"], mail(HTML, kind=kind), good(kind=kind))


def test_encoding_kept():
    """Every line written anew, though few have an edit."""
    text = HTML.replace(b"<p>filler", b"x\xc3\xa4 =\r\n" * 60 + b"<p>filler")
    loose = encode(track(text), b"quoted-printable").replace(
        b"x=C3=A4", b"=78=C3=A4")
    whole = good(track(text)).replace(
        encode(track(text), b"quoted-printable"), loose)
    expect(["encoding"], mail(text), whole)


def test_fields():
    """Lost, changed, unfolded, moved, new, twice."""
    def other(change):
        return good(fields=change(list(FIELDS)))
    expect(["field"], mail(HTML), other(lambda f: f[1:]))
    expect(["field"], mail(HTML), other(lambda f: [
        (n, v.replace(b"\r\n ", b" ")) for n, v in f]))
    expect(["field"], mail(HTML), other(lambda f: f[:1] + f[2:] + f[1:2]))
    expect(["field"], mail(HTML), other(lambda f: f + [(b"X-New", b" 1")]))
    expect(["field"], mail(HTML), other(lambda f: f + [
        (b"Date", b" Tue, 06 Jan 2026 08:00:00 +0000")]))
    expect([], mail(HTML), other(lambda f: f + [(b"Feedback-ID", b" a:b")]))
    expect([], mail(HTML, fields=FIELDS + [(b"X-MC-Track", b" 1")]), good())


def test_signatures():
    """None, one of two, one that does not verify."""
    expect(["signature"], mail(HTML), mail(track(HTML)))
    expect(["signature"], mail(HTML), mail(track(HTML), fields=SIGNATURES[:1]
                                           + FIELDS))
    expect(["signature"], mail(HTML), good(), verify=lambda text: {
        ("example.com", "r"): True, ("example.com", "e"): False})


def test_lines():
    """Too long, LF alone, CR alone."""
    long = b"x" * 999
    expect(["line", "part"], mail(HTML), good(attachment=long))
    expect([], mail(HTML, attachment=long), good(attachment=long),
           encodes=False)
    expect(["line", "part"], mail(HTML), good(attachment=b"A\nB"))
    expect(["line", "part"], mail(HTML), good(attachment=b"A\rB"))


def test_left_alone():
    """A message without one From leaves as it came, or not at all."""
    nobody = mail(HTML, fields=FIELDS[1:])
    expect([], nobody, nobody)
    got, _ = sorts(nobody, nobody.replace(b"epilogue", b"epilog"))
    tap.true("identical" in got, str(got))
    two = mail(HTML, fields=FIELDS + FIELDS[:1])
    expect([], two, two)
    got, _ = sorts(mail(HTML), mail(HTML))
    tap.equal(got, ["links", "pixel", "signature"])


def main():
    """Runs all points."""
    return tap.run([(t.__doc__.splitlines()[0] + " (" + n + ")", t)
                    for n, t in sorted(globals().items())
                    if n.startswith("test_")])


if __name__ == "__main__":
    sys.exit(main())
