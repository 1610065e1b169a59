#!/usr/bin/python3
"""Verifies DKIM signatures with python3-dkim over a file of DNS records.

verify.py RECORDS [FILE...]: RECORDS has "NAME VALUE" lines; no FILE is
standard input.  A line for each signature, fields between tabs, as
dkim_referee prints them.  Exit: 0 all pass, 1 one does not or there is none.
As a module: read_records(), verify().
"""
import sys

import dkim


def read_records(path):
    """{name: value} of a file with "NAME VALUE" lines; # are comments."""
    records = {}
    with open(path, "rb") as f:
        for line in f:
            parts = line.strip().split(None, 1)
            if len(parts) == 2 and not parts[0].startswith(b"#"):
                records[parts[0].decode().lower().rstrip(".")] = parts[1]
    return records


def verify(message, records):
    """All signatures of a message, top first, as a list of dictionaries:
    algorithm, domain, selector, passed, body_hash, error ("" when passed)."""
    def lookup(name, timeout=5):
        name = name.decode() if isinstance(name, bytes) else name
        return records.get(name.lower().rstrip("."))

    results = []
    count = sum(1 for name, _ in dkim.DKIM(message).headers
                if name.lower() == b"dkim-signature")
    for i in range(count):
        checker = dkim.DKIM(message, minkey=1024)
        error = ""
        try:
            passed = checker.verify(idx=i, dnsfunc=lookup)
        except dkim.DKIMException as e:
            passed, error = False, str(e)
        except Exception as e:  # what the library does not expect either
            passed, error = False, "%s: %s" % (type(e).__name__, e)
        fields = checker.signature_fields

        def field(tag):
            return fields.get(tag, b"").decode("ascii", "replace")

        results.append({
            "algorithm": field(b"a"), "domain": field(b"d"),
            "selector": field(b"s"), "passed": passed,
            "body_hash": "body hash mismatch" not in error,
            "error": "" if passed else error or "signature does not verify"})
    return results


def main(argv):
    if len(argv) < 2:
        print("usage: verify.py RECORDS [FILE...]", file=sys.stderr)
        return 2
    records = read_records(argv[1])
    good = True
    for path in argv[2:] or ["-"]:
        if path == "-":
            message = sys.stdin.buffer.read()
        else:
            with open(path, "rb") as f:
                message = f.read()
        results = verify(message, records)
        for r in results:
            print("\t".join([
                path, r["algorithm"], r["domain"], r["selector"],
                "pass" if r["passed"] else "fail",
                "match" if r["body_hash"] else "mismatch", r["error"]]))
        good = good and bool(results) and all(r["passed"] for r in results)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
