#!/usr/bin/python3
"""Shows that each style rule can fail: one planted fault a rule.

A clean little tree must pass all of them.
"""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
import banned  # noqa: E402
import documented  # noqa: E402
import headers  # noqa: E402
import layers  # noqa: E402
import size  # noqa: E402
import state  # noqa: E402
import text  # noqa: E402

GUARD = "/*\n * x.h - planted.\n */\n#ifndef X_H\n#define X_H\n\n%s\n#endif\n"
SOURCE = "/*\n * x.c - planted.\n */\n"
ADD = "/* Adds. */\nint sum_add(int a, int b);\n"

CLEAN = {
    "lib/base/sum.h": GUARD % ADD,
    "lib/base/sum.c": SOURCE + '#include "base/sum.h"\n\n'
    '#include <stdio.h>\n#include <stdlib.h>\n\n'
    'static const char *const words[] = { "/* no", "// comment" };\n\n'
    "int\nsum_add(int a, int b)\n{\n\treturn a + b + words[0][0];\n}\n",
    "milter/main.c": SOURCE + "#include <libmilter/mfapi.h>\n\n"
    '#include "base/sum.h"\n',
    "docs/man/x.8": ".Dd January 1, 2026\n.Dt X 8\n.Os\n.Sh NAME\n.Nm x\n"
    ".Nd does nothing\n",
    "tests/x.sh": "#!/bin/sh\necho 1..0\n",
}


def _function(lines):
    return SOURCE + "int\nlong_one(int a)\n{\n%s\treturn a;\n}\n" % lines


def _c(body):
    return {"lib/base/x.c": SOURCE + body}


# (rule, planted files, text that must be among the violations)
CASES = [
    (size.function_lines, _c(_function("\ta++;\n" * 120)[len(SOURCE):]),
     "long_one() has"),
    (size.complexity, _c(_function("\tif (a)\n\t\ta++;\n" * 26)[len(SOURCE):]),
     "complexity 27"),
    (size.file_lines, _c("int a;\n" * 801), "804 lines"),
    (size.scorecard, _c(_function("\ta++;\n" * 80)[len(SOURCE):] * 2),
     "function lines"),
    (layers.layers, _c('#include "mail/y.h"\n') | {"lib/mail/y.h": GUARD % ""},
     "lib/base may not include lib/mail/y.h"),
    (layers.layers, {"cli/x.c": SOURCE + '#include "milter/y.h"\n',
                     "milter/y.h": GUARD % ""},
     "cli may not include milter/y.h"),
    (layers.layers, {"lib/engine/x.c": SOURCE + '#include "feedback/y.h"\n',
                     "lib/feedback/y.h": GUARD % ""},
     "lib/engine may not include"),
    (layers.layers, {"lib/other/x.c": SOURCE}, "in no known layer"),
    (layers.directories, _c('#include "sum.h"\n'), "lacks its directory"),
    (layers.missing, _c('#include "base/none.h"\n'), "is no file here"),
    (layers.homes, _c("#include <libmilter/mfapi.h>\n"), "belongs to milter"),
    (layers.homes, _c("#include <opendkim/dkim.h>\n"), "belongs to"),
    (layers.homes, {"lib/engine/x.c": SOURCE + "#include <sqlite3.h>\n"},
     "belongs to lib/store"),
    (layers.cycles, {"lib/base/a.h": GUARD % '#include "base/b.h"\n',
                     "lib/base/b.h": GUARD % '#include "base/a.h"\n'},
     "a.h -> lib/base/b.h"),
    (headers.alone, {"lib/base/a.h": GUARD % "/* A. */\nsize_t a(void);\n"},
     "does not compile alone"),
    (headers.own_first, _c("#include <stdio.h>\n#include \"base/x.h\"\n") |
     {"lib/base/x.h": GUARD % ""}, "its first include is not"),
    (headers.guards, {"lib/base/a.h": "/*\n * a.h\n */\nint a;\n"},
     "no include guard"),
    (headers.order, _c("#include <string.h>\n#include <stdio.h>\n"),
     "is not sorted"),
    (headers.order, {"milter/x.c": SOURCE +
                     '#include "base/sum.h"\n#include <stdio.h>\n'},
     "after a project header"),
    (headers.documented, {"lib/base/a.h": GUARD % "int a(void);\n"},
     "a() has no contract"),
    (headers.documented, {"lib/base/a.h": GUARD %
                          "static inline int\nb(void)\n{\n\treturn 1;\n}\n"
                          "int c(int (*f)(void));\n"},
     "c() has no contract"),
    (banned.calls, _c("void\nf(char *p)\n{\n\tstrcpy (p, \"a\");\n}\n"),
     "strcpy()"),
    (banned.calls, _c("int\nf(char *p)\n{\n\treturn atoi(p);\n}\n"), "atoi()"),
    (banned.skips, {"tests/unit/x.c": SOURCE + "void\nf(void)\n{\n"
                    "\tskip();\n}\n"}, "skip()"),
    (banned.thread_locals, _c("static _Thread_local int a;\n"), "_Thread_"),
    (banned.marks, _c("/* TO" "DO: more */\n"), "TO" "DO"),
    (banned.places, {"tests/x.sh": "#!/bin/sh\ncat /wo" "rk/x\n"}, "machine"),
    (banned.dead_code, _c("/* a = b + 1; */\n"), "commented-out"),
    (banned.dead_code, _c("/*\n * free(p);\n */\n"), "commented-out"),
    (banned.dead_code, _c("#if 0\n#endif\n"), "#if 0"),
    (banned.line_comments, _c("int a; // here\n"), "// comment"),
    (banned.columns, _c("int %s;\n" % ("a" * 80)), "85 columns"),
    (banned.columns, _c('int a[] = {\n\t{ "%s" },\n};\n' % ("a" * 100)),
     "columns"),
    (banned.blanks, _c("int\nf(void)\n{\n        return 1;\n}\n"),
     "indented by blanks"),
    (banned.blanks, _c("int a; \n"), "trailing blanks"),
    (banned.blanks, _c("int a;\n\n"), "one line end"),
    (banned.top_comment, {"lib/base/x.c": "int a;\n"}, "no comment at its"),
    (state.mutable, _c("static int a;\nint *\nf(void)\n{\n\treturn &a;\n}\n"),
     "a is mutable"),
    (state.mutable, _c("int *\nf(void)\n{\n\tstatic int b = 3;\n"
                       "\treturn &b;\n}\n"), "b is mutable"),
    (state.mutable, _c("static __thread int t;\nint *\nf(void)\n{\n"
                       "\treturn &t;\n}\n"), "t is mutable"),
    (state.mutable, {"lib/mail/x.c": SOURCE + "int sink = 1;\n"},
     "sink is mutable"),
    (state.compiles, _c("int\nf(int n)\n{\n\tint a[n];\n\n\ta[0] = 1;\n"
                        "\treturn a[0];\n}\n"), "vla"),
    (state.compiles, _c("int f(\n"), "error"),
    (text.man_pages, {"docs/man/y.8": ".Dd x\n.Dt Y 8\n.Os\n.Sh NAME\n"
                      ".Nm y\n.Nd z\n.Zz\n"}, "y.8"),
    (text.shell, {"tests/y.sh": "#!/bin/sh\nif true; then\n"}, "y.sh"),
    (text.python, {"tests/y.py": "def f(:\n"}, "invalid syntax"),
    (text.python, {"tests/y.py": "#!/usr/bin/env python3\n"}, "interpreter"),
    (text.executable, {"tests/y.sh": "#!/bin/sh\n", "mode": 0o644},
     "not executable"),
    (documented.settings, {documented.TABLE: '{ "colour", KEY_VALUE }'},
     "bulkhead.conf.5: no word of the setting colour"),
    (documented.samples, {documented.TABLE: '{ "colour", KEY_VALUE }'},
     "conf.sample: no word of the setting colour"),
    (documented.log_keys, {documented.REPORT: 'printf(" colour=%u", 1);'},
     "LOGGING.md: no word of the log key colour"),
    (documented.counters, {documented.METRICS: '[METRIC_X] = "colours",'},
     "no word of the counter colours"),
]


def plant(root, files):
    """Writes the clean tree with the faults in it."""
    files = dict(CLEAN, **files)
    mode = files.pop("mode", 0o755)
    for path, content in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(content)
        os.chmod(full, mode)


def violations(rule, files):
    """What a rule says of the clean tree with the faults in it."""
    with tempfile.TemporaryDirectory() as root:
        plant(root, files)
        result = rule(root)
        return list(result[0] if isinstance(result, tuple) else result)


def main():
    """One point a planted fault, then one a rule on the clean tree."""
    os.environ.pop("BULKHEAD_BUILDDIR", None)
    rules = [r for m in (size, layers, headers, banned, state, text,
                         documented)
             for r in m.RULES.values()]
    points = [("finds: %s" % want, any(want in v for v in
                                       violations(rule, files)))
              for rule, files, want in CASES]
    tried = {rule for rule, _, _ in CASES}
    for rule in rules:
        name = "%s.%s" % (rule.__module__, rule.__name__)
        points.append(("%s has a planted fault" % name, rule in tried))
        points.append(("%s passes a clean tree" % name,
                       not violations(rule, {})))
    print("1..%d" % len(points))
    for n, (name, ok) in enumerate(points, 1):
        print("%sok %d - %s" % ("" if ok else "not ", n,
                                name.replace("#", "")))
    sys.exit(0 if all(ok for _, ok in points) else 1)


if __name__ == "__main__":
    main()
