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
    return {
        "process_tasks": [os.path.join(build, "bench", "process_tasks")],
        "resident_memory": [sys.executable, os.path.join(HERE, "resident_memory.py"),
                            "--build", build],
    }


def verdict(figure):
    budget = figure["budget"]
    if "ratio_at_least" in budget:
        met = figure["ratio"]["median"] >= budget["ratio_at_least"]
        return f"ratio >= {budget['ratio_at_least']}", met
    met = figure["figure"]["median"] <= budget["figure_at_most"]
    return f"<= {budget['figure_at_most']:g} {figure['unit']}", met


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
