#!/usr/bin/env python3
"""Checks who includes whom, and what each directory may use.

The table is that of CONTRIBUTING.md, as data; a new arrow in it is a design change and needs a
note in docs/decisions/. Prints `file:line: rule` for each violation and exits with 1 if there is
one. Comments, and what stands in strings, never count.

Usage: check_layers.py [ROOT]
"""

import fnmatch
import os
import re
import sys
from typing import Iterator, NamedTuple

SUFFIXES = (".cpp", ".hpp", ".h")
SKIPPED = ("build", "third_party")  # top-level directories that hold no source of ours


class Row(NamedTuple):
    """What one directory may include. Patterns are of fnmatch, a `*` crosses slashes; `DIR/!`
    means the files directly in DIR."""

    project: tuple
    libraries: dict  # library -> patterns of the files that may include it


ANY = ("*",)

TABLE = {
    "model": Row(("model/*",), {"expected": ANY, "nlohmann": ANY}),
    "logic": Row(("model/*", "logic/*"), {"expected": ANY, "nlohmann": ANY, "re2": ANY}),
    "storage": Row(
        ("model/*", "storage/*"),
        {
            "expected": ANY,
            "posix": ANY,
            "spdlog": ANY,
            "SQLiteCpp": ("storage/sqlite/*",),
            "zlib": ("storage/sqlite/*",),
        },
    ),
    "executors": Row(
        ("model/*", "executors/*"),
        {
            "expected": ANY,
            "posix": ANY,
            "spdlog": ANY,
            "libcurl": ("executors/http/*", "executors/cloud/*"),
            "OpenSSL": ("executors/http/*", "executors/cloud/*"),
        },
    ),
    "actors": Row(
        ("model/*", "logic/*", "storage/!", "executors/!", "actors/*"),
        {"expected": ANY, "posix": ANY, "spdlog": ANY, "CAF": ANY},
    ),
    "runtime": Row(
        (
            "model/*",
            "logic/*",
            "storage/*",
            "executors/*",
            "actors/host.hpp",
            "actors/options.hpp",
            "runtime/*",
        ),
        {
            "expected": ANY,
            "posix": ANY,
            "spdlog": ANY,
            "nlohmann": ANY,
            "libsodium": ANY,
            "yaml-cpp": (
                "runtime/yaml_document.cpp",
                "runtime/param_input.cpp",
                "runtime/config_load.cpp",
            ),
            "date": ("runtime/zones.*",),
            "prometheus-cpp": ("runtime/metrics.*",),
        },
    ),
    "api": Row(
        ("model/*", "runtime/*", "api/*"),
        {
            "expected": ANY,
            "posix": ANY,
            "spdlog": ANY,
            "nlohmann": ANY,
            "Boost": ("api/server.cpp", "api/client.cpp"),
        },
    ),
    "cli": Row(
        ("model/*", "runtime/*", "api/*", "cli/*"),
        {"expected": ANY, "posix": ANY, "CLI11": ANY},
    ),
    "testing": Row(
        (
            "model/*",
            "logic/*",
            "storage/*",
            "executors/*",
            "actors/*",
            "runtime/*",
            "testing/*",
        ),
        {"expected": ANY, "posix": ANY, "CAF": ANY},
    ),
    "tests": Row(ANY, {"*": ANY}),
    "bench": Row(ANY, {"*": ANY}),
}

# Nobody but themselves includes these.
PRIVATE = ("tests", "bench")

# Headers that must stay free of a library which their directory may use otherwise.
KEPT_FREE = {"CAF": ("actors/host.hpp", "actors/options.hpp")}

# Made by the build, so not written from the root of the tree.
GENERATED = {"migrations.inc": ("storage/*",)}

# First match wins; what matches nothing is an unknown library.
LIBRARIES = (
    ("CAF", r"caf/"),
    ("spdlog", r"spdlog/|fmt/"),
    ("SQLiteCpp", r"SQLiteCpp/|sqlite3(ext)?\.h$"),
    ("yaml-cpp", r"yaml-cpp/"),
    ("nlohmann", r"nlohmann/"),
    ("re2", r"re2/"),
    ("expected", r"tl/"),
    ("CLI11", r"CLI/"),
    ("Catch2", r"catch2/"),
    ("zlib", r"zlib\.h$"),
    ("libsodium", r"sodium(\.h|/)"),
    ("libcurl", r"curl/"),
    ("OpenSSL", r"openssl/"),
    ("Boost", r"boost/"),
    ("libpq", r"libpq|pqxx/"),
    ("date", r"date/"),
    ("prometheus-cpp", r"prometheus/"),
    ("std", r"[a-z0-9_]+$"),
    ("posix", r"(sys|linux|netinet|arpa|net|asm|bits)/.*\.h$|[a-z0-9_]+\.h$"),
)

PURE = ("model/*", "logic/*")
EXEMPT = ("tests/*", "bench/*")  # from all bans that do not say otherwise


class Ban(NamedTuple):
    rule: str
    pattern: str  # searched in the code, where comments and the insides of strings are blank
    where: tuple = ANY
    but: tuple = ()
    tests_too: bool = False


def call(names: str) -> str:
    """A pattern for a call of a free function: not of a member of that name."""
    return r"(?<![\w.>])(?:" + names + r")\s*\("


BANS = (
    Ban(
        "model and logic read no clock; time is an argument",
        r"\b\w+_clock\b|"
        + call("clock_gettime|gettimeofday|timespec_get")
        + r"|(?<![\w.>])(?:time\s*\(\s*(?:nullptr|NULL|0|&)|clock\s*\(\s*\))",
        PURE,
    ),
    Ban(
        "model and logic draw no random numbers; they are arguments",
        r"\brandom_device\b|\bmt19937(_64)?\b|\w+_distribution\b|"
        + call("s?rand|random|getrandom|getentropy")
        + r"|#\s*include\s*<random>",
        PURE,
    ),
    Ban("model and logic do not log", r"\bspdlog\b", PURE),
    Ban(
        "model and logic know no thread",
        r"\bstd\s*::\s*(j?thread|this_thread|async)\b|#\s*include\s*<thread>|\bpthread_\w+",
        PURE,
    ),
    Ban(
        "model and logic know no file and no socket",
        r"\b[io]?fstream\b|"
        + call("fopen|freopen|openat|socket|socketpair|mmap|popen|::open")
        + "|"
        + r"\bstd\s*::\s*filesystem\b|#\s*include\s*<(fstream|filesystem|sys/socket\.h|fcntl\.h)>",
        PURE,
    ),
    Ban("only runtime/clock.hpp reads a clock", r"_clock\s*::\s*now\b", but=("runtime/clock.hpp",)),
    Ban(
        "only runtime/config_load.cpp reads the environment",
        r"\b(secure_)?getenv\b|\benviron\b",
        but=("runtime/config_load.cpp",),
    ),
    Ban(
        "only executors start, signal and await processes",
        call("v?fork|posix_spawnp?|exec[lv]p?e?|fexecve|kill|killpg|waitpid|waitid|wait[34]")
        + "|"
        + call("pidfd_send_signal|popen|(?:std)?::system"),
        but=("executors/*",),
    ),
    Ban(
        "SQL is written in storage/sqlite and storage/postgres only",
        r'\bR"sql\(',
        but=("storage/sqlite/*", "storage/postgres/*"),
    ),
    Ban(
        "what is detached is decided in actors/host.cpp",
        r"\bcaf\s*::\s*detached\b|\bspawn\s*<[^;>]*\bdetached\b",
        but=("actors/host.cpp",),
    ),
    Ban(
        "nothing sleeps; wait for the event",
        r"\b(sleep_for|sleep_until|usleep|nanosleep|clock_nanosleep)\b",
        tests_too=True,
    ),
)


class Violation(NamedTuple):
    path: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}"


def matches(path: str, patterns: tuple) -> bool:
    for pattern in patterns:
        if pattern.endswith("/!"):
            if os.path.dirname(path) == pattern[:-2]:
                return True
        elif fnmatch.fnmatchcase(path, pattern):
            return True
    return False


TOKEN = re.compile(
    r"""
      (?P<comment> //(?:[^\n\\]|\\[\s\S])* | /\*[\s\S]*?(?:\*/|\Z) )
    | (?P<raw> R"(?P<mark>[^()\\\s]{0,16})\([\s\S]*?(?:\)(?P=mark)"|\Z) )
    | (?P<include> ^[ \t]*\#[ \t]*include[ \t]*(?:"[^"\n]*"|<[^>\n]*>) )
    | (?P<string> "(?:[^"\\\n]|\\[\s\S])*"? )
    | (?P<number> \b\d[\w'.]*)
    | (?P<char> '(?:[^'\\\n]|\\[\s\S])*'? )
    """,
    re.VERBOSE | re.MULTILINE,
)


def blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def code_of(text: str) -> str:
    """The text with comments and the insides of literals blank, lines and includes in place."""

    def replace(match: re.Match) -> str:
        token = match.group(0)
        if match.lastgroup is None or match.group("include") or match.group("number"):
            return token
        if match.group("raw"):
            opening = len('R"(') + len(match.group("mark"))
            return token[:opening] + blank(token[opening:])
        return blank(token)

    return TOKEN.sub(replace, text)


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)', re.MULTILINE)


def library_of(header: str) -> str:
    for name, pattern in LIBRARIES:
        if re.match(pattern, header):
            return name
    return ""


def project_include(path: str, top: str, header: str) -> str:
    """The rule that `path` breaks by including one of our own headers, or nothing."""
    target = header.split("/")[0]
    if header in GENERATED and matches(path, GENERATED[header]):
        return ""
    if "/" not in header or target not in TABLE:
        return f'"{header}" is not written from the root of the tree'
    if target in PRIVATE and target != top:
        return f"nothing includes {target}"
    if not matches(header, TABLE[top].project):
        return f'{top} may not include "{header}"'
    return ""


def library_include(path: str, top: str, header: str) -> str:
    """The rule that `path` breaks by including a header of a library, or nothing."""
    allowed = TABLE[top].libraries
    library = library_of(header)
    if not library:
        return f"<{header}> is of no known library"
    if path in KEPT_FREE.get(library, ()):
        return f"{path} mentions nothing of {library}"
    if library == "std" or "*" in allowed:
        return ""
    if library not in allowed:
        return f"{top} may not use {library} (<{header}>)"
    if not matches(path, allowed[library]):
        return f"{library} (<{header}>) only in {', '.join(allowed[library])}"
    return ""


def check_file(path: str, text: str) -> Iterator[Violation]:
    """All violations of one file; `path` is relative to the root, with slashes."""
    top = path.split("/")[0]
    if "/" not in path or top not in TABLE:
        yield Violation(path, 1, "this directory is not in the table of tools/check_layers.py")
        return
    code = code_of(text)

    def line_of(offset: int) -> int:
        return code.count("\n", 0, offset) + 1

    for match in INCLUDE.finditer(code):
        ours, theirs = match.groups()
        if ours is not None:
            rule = project_include(path, top, ours)
        else:
            rule = library_include(path, top, theirs)
        if rule:
            yield Violation(path, line_of(match.start()), rule)
    for ban in BANS:
        if not matches(path, ban.where) or matches(path, ban.but):
            continue
        if not ban.tests_too and matches(path, EXEMPT):
            continue
        for match in re.finditer(ban.pattern, code):
            yield Violation(path, line_of(match.start()), ban.rule)


def source_files(root: str) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        inside = os.path.relpath(folder, root).replace(os.sep, "/")
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and not (inside == "." and f in SKIPPED)
        )
        for name in sorted(files):
            if name.endswith(SUFFIXES):
                yield name if inside == "." else f"{inside}/{name}"


def check_tree(root: str) -> list:
    found = []
    for path in source_files(root):
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            found.extend(check_file(path, file.read()))
    return sorted(found)


def main(arguments: list) -> int:
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    root = arguments[0] if arguments else here
    if not any(source_files(root)):
        print(f"{root}: no source files", file=sys.stderr)
        return 2
    violations = check_tree(root)
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
