#!/usr/bin/env python3
"""Builds the scenarios with one known bug after the other and expects them to find it.

A bug is a patch in this directory; its name says what it does. Names of bugs as arguments test these
alone. Ends with 1 when one was not found.
"""

import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def quiet(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout[-4000:]}")


def find(bug, build, seeds):
    """The first lines of what the scenarios say, or None when they find nothing."""
    quiet("cmake", "-S", ROOT, "--preset", "release", "-B", build, f"-DSLUICE_PLANT={bug}",
          "-DCMAKE_UNITY_BUILD=OFF")  # only the file with the bug is compiled again
    quiet("cmake", "--build", build, "--target", "test_scenarios")
    environment = dict(os.environ, SLUICE_SEEDS=str(seeds))
    environment.pop("SLUICE_SEED", None)
    done = subprocess.run([os.path.join(build, "tests", "test_scenarios"),
                           "scenario: every promise holds whatever happens"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env=environment, timeout=1800)
    if done.returncode == 0:
        return None
    said = re.search(r"explicitly with message:\s*(.*?)\n\s*\n", done.stdout, re.DOTALL)
    return " ".join(said.group(1).split()) if said else f"ends with {done.returncode}"


def check(bugs):
    """Whether all patches still fit, without building anything; 1 when one does not."""
    missed = 0
    for bug in bugs:
        done = subprocess.run(["patch", "-p1", "--dry-run", "--fuzz=0", "-d", ROOT, "-i",
                               os.path.join(HERE, bug + ".patch")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            missed = 1
            print(f"{bug}: {done.stdout}")
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bugs", nargs="*")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "planted"))
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--check", action="store_true", help="only that the patches still fit")
    options = parser.parse_args()
    known = sorted(name[:-len(".patch")] for name in os.listdir(HERE) if name.endswith(".patch"))
    unknown = sorted(set(options.bugs) - set(known))
    if unknown:
        parser.error(f"no bug named {unknown[0]}; there are {', '.join(known)}")
    if options.check:
        return check(options.bugs or known)
    missed = 0
    for bug in options.bugs or known:
        found = find(bug, options.build, options.seeds)
        missed += found is None
        print(f"{bug}: {found or 'NOT FOUND'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
