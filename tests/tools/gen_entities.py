#!/usr/bin/python3
"""Writes lib/mail/html_entities.c from Python's own table.

Usage: tests/tools/gen_entities.py > lib/mail/html_entities.c
"""
import html.entities
import sys

HEAD = """\
/*
 * html_entities.c - the named character references of HTML, as data.  Written
 * by tests/tools/gen_entities.py; the form is told in html_private.h.
 */
#include "mail/html_private.h"

const char html_entities[] =
"""

TAIL = """
const size_t html_entities_size = sizeof(html_entities) - 1;
"""


def escape(value):
    out = ""
    for octet in value.encode():
        char = chr(octet)
        if char.isalnum() and octet < 128 or char in "&;<>!#$%()*+,-./:=@[]^_`{|}~":
            out += char
        else:
            out += "\\%03o" % octet
    return out


def records():
    names = html.entities.html5
    for name in sorted({n.rstrip(";") for n in names}):
        legacy = name in names
        assert name.isalnum() and names[name + ";"]
        assert not legacy or names[name] == names[name + ";"]
        yield name + ("&" if legacy else ";") + \
            escape(names[name + ";"]) + "\\0"


def main():
    line = ""
    sys.stdout.write(HEAD)
    for record in records():
        if len(line) + len(record) > 68:
            sys.stdout.write('    "%s"\n' % line)
            line = ""
        line += record
    sys.stdout.write('    "%s";\n' % line)
    sys.stdout.write(TAIL)


main()
