#!/usr/bin/env python3
"""Runs the benchmarks and prints one table; with --json one line of JSON per figure instead."""

import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def programs(build):
    """Name -> command. Each prints lines of JSON; see bench/README.md."""
    compiled = ["process_tasks", "native_tasks", "chain_hop", "open_loop", "plan_graph",
                "submit_run", "growth"]
    return {name: [os.path.join(build, "bench", name)] for name in compiled} | {
        "resident_memory": [sys.executable, os.path.join(HERE, "resident_memory.py"),
                            "--build", build],
    }


def verdict(figure):
    """The budget as text, and whether the median meets it. Its name is `figure` or `ratio`, then
    `_at_least` or `_at_most`."""
    (name, wanted), = figure["budget"].items()
    subject, _, direction = name.partition("_at_")
    value = figure[subject]["median"]
    met = value >= wanted if direction == "least" else value <= wanted
    sign = ">=" if direction == "least" else "<="
    if subject == "ratio":
        return f"ratio {sign} {wanted:g}", met
    return f"{sign} {wanted:,.10g} {figure['unit']}", met


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def spread(values):
    return f"{number(values['median'])} ({number(values['min'])}-{number(values['max'])})"


def table(figures):
    rows = [("id", "what", "figure: median (min-max)", "limit of this run", "ratio", "budget", "")]
    for figure in figures:
        budget, met = verdict(figure)
        rows.append((figure["id"], figure["what"], f"{spread(figure['figure'])} {figure['unit']}",
                     spread(figure["limit"]), spread(figure["ratio"]), budget,
                     "met" if met else "MISSED"))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="programs to run; all when none is named")
    parser.add_argument("--build", default="build/release", help="directory of the build")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    known = programs(build)
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"no benchmark named {unknown[0]}; there are {', '.join(known)}")
    figures = []
    for name in options.names or known:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        output = subprocess.run(known[name], stdout=subprocess.PIPE, text=True, check=True,
                                cwd=build).stdout
        for line in output.splitlines():
            figures.append(json.loads(line))
            if options.json:
                print(line, flush=True)
    if not options.json:
        table(figures)


if __name__ == "__main__":
    main()
