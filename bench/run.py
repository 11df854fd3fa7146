#!/usr/bin/env python3
"""Runs the benchmarks and prints one table; with --json one line of JSON per figure instead.

With --against DIR it compares the programs of this build with those of another one, interleaved.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
COMPARED = ("process_tasks", "native_tasks")  # what most changes could slow down


def programs(build):
    """Name -> command. Each prints lines of JSON; see bench/README.md."""
    compiled = ["process_tasks", "native_tasks", "chain_hop", "open_loop", "plan_graph",
                "submit_run", "recovery", "growth", "dispatch_decision",
                "checkpoint_save"]
    memory = [sys.executable, os.path.join(HERE, "resident_memory.py"), "--build", build]
    return {name: [os.path.join(build, "bench", name)] for name in compiled} | {
        "resident_memory": memory,
        "resident_memory_5000": memory + ["--tasks", "5000"],
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
    return rows


def measure(command, build):
    """Runs one program; yields the figures it prints as they come."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=build) as program:
        for line in program.stdout:
            yield json.loads(line)
    if program.returncode != 0:
        sys.exit(f"{os.path.basename(command[0])} ended with {program.returncode}")


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def costs(name, build):
    """Figure -> (CPU us, wall us, allocations) per task, of one repetition."""
    command = programs(build)[name] + ["1"]
    return {figure["id"]: tuple(figure["cost_per_task"].get(name, 0)
                                for name in ("cpu_us", "wall_us", "allocations"))
            for figure in measure(command, build) if "cost_per_task" in figure}


def compare(names, build, other, pairs):
    """The costs of this build over those of the other one, pair by pair: each pair meets the same
    machine, and which of the two goes first alternates. Yields one comparison per figure."""
    for name in names:
        taken = []
        for i in range(pairs):
            print(f"comparing {name}, pair {i + 1} of {pairs} ...", file=sys.stderr, flush=True)
            order = (build, other) if i % 2 == 0 else (other, build)
            by_build = {directory: costs(name, directory) for directory in order}
            taken.append((by_build[build], by_build[other]))
        for figure in (f for f in taken[0][0] if f in taken[0][1]):
            ours = [mine[figure] for mine, _ in taken]
            theirs = [their[figure] for _, their in taken]
            # A build of before allocations were counted says nothing of them.
            ratios = [[a / b if b else 0 for a, b in zip(*pair)] for pair in zip(ours, theirs)]
            yield {
                "id": figure,
                "pairs": pairs,
                "cpu_us_per_task": summary(cpu for cpu, _, _ in ours),
                "cpu_us_per_task_against": summary(cpu for cpu, _, _ in theirs),
                "cpu_ratio": summary(cpu for cpu, _, _ in ratios),
                "wall_ratio": summary(wall for _, wall, _ in ratios),
                "allocation_ratio": summary(count for _, _, count in ratios),
            }


def summary(values):
    values = list(values)
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def comparison_table(comparisons):
    rows = [("id", "CPU us/task: median (min-max)", "the other build", "CPU ratio", "wall ratio",
             "allocation ratio")]
    return rows + [(c["id"], spread(c["cpu_us_per_task"]), spread(c["cpu_us_per_task_against"]),
                    spread(c["cpu_ratio"]), spread(c["wall_ratio"]),
                    spread(c["allocation_ratio"])) for c in comparisons]


def run_all(names, build):
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        yield from measure(programs(build)[name], build)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="programs to run; all when none is named")
    parser.add_argument("--build", default="build/release", help="directory of the build")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--against", metavar="DIR",
                        help="directory of another build, compared with this one; "
                        f"without names: {' and '.join(COMPARED)}")
    parser.add_argument("--pairs", type=int, default=15, help="of a comparison")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    known = programs(build)
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"no benchmark named {unknown[0]}; there are {', '.join(known)}")
    if options.against:
        if memory := [name for name in options.names if name.startswith("resident_memory")]:
            parser.error(f"{memory[0]} has no cost per task to compare")
        other = os.path.abspath(options.against)
        names = options.names or COMPARED
        missing = [name for name in names if not os.path.exists(programs(other)[name][0])]
        if missing:
            parser.error(f"{options.against} has no program bench/{missing[0]}")
        results = compare(names, build, other, options.pairs)
        as_table = comparison_table
    else:
        results = run_all(options.names or known, build)
        as_table = table
    # What the programs leave behind goes at the end, all at once: on ext4 without a journal,
    # creating a file is slow for minutes where many were deleted.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as scratch:
        os.environ["SLUICE_BENCH_SCRATCH"] = scratch
        if options.json:
            for result in results:
                print(json.dumps(result), flush=True)
        else:
            print_table(as_table(results))


if __name__ == "__main__":
    main()
