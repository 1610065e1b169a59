#!/usr/bin/python3
"""Mail as others sent it: newsletters, MIME torture mail, bounces."""
import sys

sys.dont_write_bytecode = True
import corpus  # noqa: E402
import lib_groups  # noqa: E402

GROUPS = {"newsletter": "newsletters", "newsletter-composed": "newsletters",
          "mime": "MIME torture mail", "mime-charset": "charsets"}
OTHER = "other mail"
OTHER_KINDS = ("bounce", "arf", "arf-dmarc-ruf", "autoreply", "nonbounce",
               "dkim-verify", "dkim-canon", "bounce-noaddr")

def judge(installation, row):
    """One message as it is."""
    with open(corpus.path(row["path"]), "rb") as f:
        text = f.read()
    return [lib_groups.judge(row, GROUPS.get(row["kind"], OTHER),
                             text, installation)]


def outcomes():
    """All messages."""
    return lib_groups.Work(judge).run(
        [r for r in corpus.rows("index.tsv")
         if r["kind"] in GROUPS or r["kind"] in OTHER_KINDS])


if __name__ == "__main__":
    sys.exit(lib_groups.run(
        list(dict.fromkeys(GROUPS.values())) + [OTHER], outcomes))
