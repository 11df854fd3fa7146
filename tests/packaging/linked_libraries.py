#!/usr/bin/env python3
"""The program links no library that only a module needs, and the guard links none at all.

Mapped libraries dominate the memory of a small process, so what the local run does not need must
not come in by accident, neither directly nor through another library.

Usage: linked_libraries.py SLUICE GUARD
"""

import re
import subprocess
import sys

UNWANTED = ("libcurl", "libssl", "libcrypto", "libpq", "libcaf_io", "libcaf_openssl")
NEEDED = "libcaf_core"  # so that an empty answer is no good answer


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def needed(program):
    """The libraries that the file itself names."""
    return re.findall(r"\(NEEDED\).*\[(.+)\]", output("readelf", "-d", program))


def loaded(program):
    """All libraries of the process, those of its libraries too."""
    return re.findall(r"^\s*(\S+) =>", output("ldd", program), re.MULTILINE)


def main(sluice, guard):
    named, mapped = needed(sluice), loaded(sluice)
    unwanted = sorted({lib for lib in named + mapped if lib.startswith(UNWANTED)})
    if unwanted:
        print(f"{sluice} links {', '.join(unwanted)}")
        return 1
    if not any(lib.startswith(NEEDED) for lib in named):
        print(f"{sluice} does not name {NEEDED}: {named}")
        return 1
    sanitized = any(lib.startswith("libasan") for lib in mapped)
    if needed(guard) and not sanitized:
        print(f"the guard is not static: {needed(guard)}")
        return 1
    print(f"{len(named)} libraries named, {len(mapped)} mapped, none of {', '.join(UNWANTED)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
