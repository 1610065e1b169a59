#!/usr/bin/python3
"""HTML put together at random from pieces that are hard to read, as mail in
every transfer encoding: exactly the links that html5lib finds are tracked.

Needs no corpus.  Everything is drawn from a seed.
"""
import os
import random
import sys
import time

sys.dont_write_bytecode = True
import corpus  # noqa: E402
import lib_groups  # noqa: E402
from properties_html import CODINGS, wrap  # noqa: E402

SEED = int(os.environ.get("BULKHEAD_SEED") or 20260105)
LONG = bool(os.environ.get("BULKHEAD_LONG"))
ROUNDS, SECONDS = (4000, 600) if LONG else (150, 40)
CHARSETS = ("utf-8", "utf-8", "iso-8859-1", "windows-1252", "shift_jis",
            "gb18030")

# No link in these is tracked, or each by itself is a plain case of its kind.
PLAIN = (
    '<a href="http://x.example/?a=1&amp;b=2">l</a>',
    "<a href='https://x.example/'>l</a>", "<a href=http://x.example/>l</a>",
    "<A HREF=\"HTTP://X.example/\" CLASS=y>l</A>",
    '<a\nhref\n=\n"http://x.example/"\n>l</a>', "<a/href=http://x.example/ >",
    '<a href="http://x.example/1" href="http://x.example/2">l</a>',
    '<a class="" href="https://x.example"id=a>l</a>',
    '<a title="a>b" href="http://x.example/">l</a>',
    '<a title=\'"\' href="http://x.example/\'">l</a>',
    '<a href="&#104;ttp://x.example/?a&copy=1&amp&lt">l</a>',
    '<a href="&Tab;http://x.example/&NewLine;">l</a>',
    '<a href="  http://x.example/  ">l</a>', '<a href="ht\ntp://x.ex\tam/">',
    '<a href="http://x.example/a b">l</a>', '<a href="http:/x.example">l</a>',
    '<a href="//x.example/">l</a>', '<a href="/x">l</a>', '<a href="">l</a>',
    "<a href>l</a>", "<a href=>l</a>", "<a>l</a>", '<a name="http://x/">l</a>',
    '<a href="#x">l</a>', '<a href="mailto:a@b.example">l</a>',
    '<a href="tel:+1">l</a>', '<a href="javascript:x(\'http://y/\')">l</a>',
    '<a href="http://">l</a>', '<a href="http://:80/">l</a>',
    '<a href="http://u:p@x.example:8080/p?q#f">l</a>',
    '<a href="https://t.example.com/c/x">l</a>',
    '<a href="http://[::1]/">l</a>', '<a href="http://x.example\\y">l</a>',
    '<area shape=rect href="http://x.example/area">', '<area href=x>',
    '<v:rect href="http://x.example/v" style="a">', "<abbr href=http://x/>",
    '<base href="http://x.example/">', '<link href="http://x.example/s.css">',
    '<form action="http://x.example/">', '<img src="http://x.example/i.gif">',
    '<svg><a href="http://x.example/svg">l</a></svg>', "<p>text & more &amp;",
    '<noscript><a href="http://x.example/n">l</a></noscript>',
    '<template><a href="http://x.example/t">l</a></template>',
    '</a href="http://x.example/">', "<a =http://x.example/ href=a>l</a>",
    "< a href=http://x.example/>", "<3 <a", "<a href=http://x.example/ ",
    '<a "href="http://x.example/q">l</a>', "a =3D b=\r\n c =\r\n", ".", "..",
    "From the start", "\u00e4\u00f6\u00fc", "-- ", "   \t", "x" * 900,
    '<a href="http://x.example/%s">l</a>' % ("y" * 400),
    '<p style="%s"><a href="http://x.example/">l</a>' % ("z" * 960),
    '<a href="http://x.example/\u00e4?\u00f6=\u00fc">l</a>',
    '<a href="http://x.example/%s">too long</a>' % ("y" * 2500),
)
OPT_OUTS = (
    '<a href="http://x.example/" clicktracking=off>l</a>',
    '<a clicktracking="off" href="http://x.example/">l</a>',
    "<a href='http://x.example/' clicktracking='OFF' class=y>l</a>",
    '<a href="http://x.example/"clicktracking=off class=y>l</a>',
    '<a href="http://x.example/" clicktracking=on>l</a>',
    '<a href="http://x.example/" ses:no-track>l</a>',
    '<a ses:no-track href="http://x.example/">l</a>',
    '<a href="http://x.example/" disable-tracking="true"/>l</a>',
    '<a href="http://x.example/" disable-tracking=false>l</a>',
    '<a\n  data-pm-no-track\n  href="http://x.example/">l</a>',
    '<a href="http://x.example/" data-msys-clicktrack="0" id=a>l</a>',
    '<a href="http://x.example/" data-msys-clicktrack="1">l</a>',
    '<a data-msys-unsubscribe="1" href="http://x.example/u">l</a>',
    '<a href="http://x.example/" data-as-no-track="" data-ph-no-track>l</a>',
    '<a href="mailto:x@y.example" clicktracking=off>l</a>',
    "<a clicktracking=off>l</a>", "<p clicktracking=off>",
)
TAGS = (
    '<a href="http://x.example/{{id}}">l</a>', '<a href="{{url}}">l</a>',
    '<a href="*|LINK|*">l</a>', '<a href="http://x.example/?u=%%u%%">l</a>',
    '<a href="[[link]]">l</a>', '<a href="<%= url %>">l</a>',
    '<a href="http://x.example/${id}">l</a>', "<p>{{name}} *|FNAME|*</p>",
    '<a href="{{bulkhead-unsubscribe-url}}">stop</a>',
    '<a href="http://{{bulkhead-unsubscribe-url}}">stop</a>',
    '<a href="%unsubscribe_url%">stop</a>', '<a href="*|UNSUB|*">stop</a>',
    '<p>{{{ pm:unsubscribe }}} {{amazonSESUnsubscribeUrl}}</p>',
)
# These change how the rest is read: put around others.
AROUND = (
    ("<!-- ", " -->"), ("<!--", "--!>"), ("<!-->", "-->"), ("<!--->", "-->"),
    ("<!-- a -- b ", "-->"), ("<!", ">"), ("<?php ", "?>"),
    ("<![CDATA[", "]]>"), ("<!--[if mso]>", "<![endif]-->"),
    ("<!--[if gte mso 9]>", "<![endif]-->"), ("<!--[if !mso]><!-->",
                                              "<!--<![endif]-->"),
    ("<!--[if !mso]><!-- -->", "<!--<![endif]-->"),
    ("<![if !mso]>", "<![endif]>"), ("<!-- [if mso]>", "<![endif]-->"),
    ("<!--[if mso]>", "-->"), ("<!--[if mso ", "-->"),
    ("<script>", "</script>"), ("<script><!--", "--></script>"),
    ("<script><!-- <script>", "</script>--></script>"),
    ("<style>", "</style>"), ("<style>", "</STYLE >"),
    ("<title>", "</title>"), ("<textarea>", "</textarea>"),
    ("<xmp>", "</xmp>"), ("<iframe>", "</iframe>"),
    ("<noembed>", "</noembed>"), ("<div>", "</div>"),
    ("<table><tr><td>", "</td></tr></table>"), ('<p title="', '">'),
    ("<style>a</styles>", "</style>"), ("<body>", "</body>"),
)
ENDS = ("", "</body>", "</body></html>\r\n", "</BODY\n >", "<!-- </body> -->",
        "</body>\r\n<!-- </body> -->", "</body></body>", "\r\n", "<plaintext>",
        '<a href="http://x.example/', "<!-- open", "</body", "&amp", "=",
        "<!--[if mso]></body><![endif]-->", "</html>", "\r\n\r\n", "   ")


def page(chance):
    """A text of some pieces."""
    text = ""
    for _ in range(chance.randrange(1, 9)):
        pieces = [chance.choice(chance.choice((PLAIN, PLAIN, OPT_OUTS, TAGS)))
                  for _ in range(chance.randrange(1, 5))]
        inside = chance.choice(("", " ", "\n", "\n\n")).join(pieces)
        if chance.random() < 0.4:
            before, after = chance.choice(AROUND)
            inside = before + inside + after
        text += inside + chance.choice(("", "\n", "\n", " "))
    return "<html><body>\n" * (chance.random() < 0.7) + text + \
        chance.choice(ENDS)


def octets(text, charset):
    """As mail: lines end with CRLF."""
    text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return text.encode(charset, "xmlcharrefreplace")


def judge(installation, item):
    """One page in every coding."""
    number, until = item
    if time.monotonic() > until:
        return []
    chance = random.Random("%d %d" % (SEED, number))
    charset = chance.choice(CHARSETS)
    text = octets(page(chance), charset)
    row = {"path": "page %d of seed %d" % (number, SEED), "kind": "made",
           "expected": ""}
    return [lib_groups.judge(row, coding, wrap(text, charset, coding),
                             installation) for coding in CODINGS]


def outcomes():
    """As many pages as there is time for."""
    until = time.monotonic() + SECONDS
    corpus.say("seed %d: BULKHEAD_SEED sets another" % SEED)
    return lib_groups.Work(judge).run([(n, until) for n in range(ROUNDS)])


if __name__ == "__main__":
    sys.exit(lib_groups.run(CODINGS, outcomes, needs_corpus=False))
