#!/usr/bin/env python3
"""P5: resident memory of runtime and guard while `sleep` tasks run, 10 s after the last start.

Prints one line of JSON. Private bytes (what no other process shares) stand beside the resident
ones: mapped libraries dominate the latter. The limit is the runtime with a single task, on the same
machine: what CAF, SQLite and the libraries cost before there is anything to hold.
"""

import argparse
import json
import os
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SETTLE_SECONDS = 10  # part of the budget's definition
START_SECONDS = 120  # for all of them; 5,000 take some ten


def kib(pid, file, *names):
    with open(f"/proc/{pid}/{file}") as lines:
        rows = dict(line.split(":", 1) for line in lines if ":" in line)
    return sum(int(rows[name].split()[0]) for name in names)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as text:
        direct = [int(p) for p in text.read().split()]
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children") as text:
            direct += [int(p) for p in text.read().split()]
    return sorted(set(direct))


def name_of(pid):
    with open(f"/proc/{pid}/comm") as text:
        return text.read().strip()


def measure(sluice, tasks, directory):
    """Returns (resident, private) bytes of runtime and guard together."""
    workflow = os.path.join(directory, f"sleep{tasks}.yaml")
    with open(workflow, "w") as text:
        text.write("tasks:\n")
        for i in range(tasks):
            text.write(f"  t{i}: {{exec: [sleep, '600']}}\n")
    run = subprocess.Popen(
        [sluice, "--store", os.path.join(directory, f"store{tasks}"), "--json", "run", workflow,
         "--slots", str(tasks)],
        stdout=subprocess.PIPE, text=True)
    started = 0
    for line in run.stdout:
        started += json.loads(line).get("type") == "task_dispatched"
        if started == tasks:
            break
    give_up = time.monotonic() + START_SECONDS
    while len(children_of(run.pid)) < tasks + 1:  # dispatched is not yet started
        if time.monotonic() > give_up or run.poll() is not None:
            sys.exit(f"benchmark: not all of {tasks} tasks were started")
        time.sleep(0.2)
    time.sleep(SETTLE_SECONDS)
    children = children_of(run.pid)
    pids = [run.pid] + [p for p in children if name_of(p).startswith("sluice-guard")]
    if len(pids) != 2 or len(children) != tasks + 1:
        sys.exit(f"benchmark: {len(children)} children for {tasks} tasks, {len(pids) - 1} guards")
    resident = sum(kib(p, "status", "VmRSS") for p in pids) * 1024
    private = sum(kib(p, "smaps_rollup", "Private_Clean", "Private_Dirty") for p in pids) * 1024
    run.kill()  # the guard ends the tasks
    run.wait()
    return resident, private


def summary(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    sluice = os.path.join(os.path.abspath(options.build), "sluice")
    figures, limits, private = [], [], []
    for _ in range(options.repetitions):
        directory = tempfile.mkdtemp(prefix="bench-", dir=options.build)
        try:
            limits.append(measure(sluice, 1, directory)[0] / 1e6)
            resident, own = measure(sluice, options.tasks, directory)
            figures.append(resident / 1e6)
            private.append(own / 1e6)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    print(json.dumps({
        "id": "P5" if options.tasks == 500 else f"P5.{options.tasks}",
        "what": f"resident memory of runtime and guard, {options.tasks} sleep tasks, "
                "against one task",
        "unit": "MB",
        "figure": summary(figures),
        "private": summary(private),
        "limit": summary(limits),
        "ratio": summary([f / l for f, l in zip(figures, limits)]),
        "budget": {"figure_at_most": 10.0 if options.tasks <= 500 else 20.0},
    }))


if __name__ == "__main__":
    main()
