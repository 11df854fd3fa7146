#!/usr/bin/env python3
"""Adds tasks to a run whose runtime is killed with SIGKILL at the same time, again and again.

Each time `sluice run --resume` takes up the run, `sluice add` gives it another task that waits for one
that was added before, and the runtime is killed at a random moment. Then the run goes on to its end, and

- each task is there whose addition was answered, and none is there twice,
- every task has succeeded, and what stands under finally came last,
- the events tell the same as the rows, and the database passes PRAGMA integrity_check.

Standard library only. Needs Linux's /proc.

Usage: add_tasks.py --binary-dir build/release [--kills 50] [--seed N]
"""

import argparse
import collections
import contextlib
import os
import random
import subprocess
import sys

from audit import Failure, deadline, in_scratch, sound_database, wait_for_guard

WORKFLOW = """workflow: growing
tasks:
  first: {run: echo v=1 > "$SLUICE_OUT", out: {v: int}}
  open: {after: [first], gate: signal, name: end}
finally:
  tidy: "true"
"""
# The store is held by a runtime that does not listen yet, or the one that was asked is gone.
MAY_FAIL = (4, 5)


class Store:
    def __init__(self, binary, folder):
        self.folder = folder
        self.path = os.path.join(folder, "store")
        self.sluice = [binary, "--store", self.path]

    def start(self, *arguments):
        return subprocess.Popen([*self.sluice, *arguments], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def call(self, *arguments):
        with deadline(arguments[0]):
            return subprocess.run([*self.sluice, *arguments], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, check=False)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


def kill_after(process, seconds):
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    with deadline("the end of the runtime"):
        process.wait()


def play(binary, folder, kills, dice):
    store = Store(binary, folder)
    workflow = store.file("workflow.yaml", WORKFLOW)
    while store.call("show", "r-1").returncode != 0:
        kill_after(store.start("run", workflow), dice.uniform(0, 0.5))
    answered = []
    for i in range(kills):
        upstream = answered[-1] if answered else "first"
        more = store.file("more.yaml", f"tasks:\n  t{i}:\n    after: [{upstream}]\n"
                          "    in: {v: \"${{ tasks.first.out.v }}\"}\n    run: test \"$v\" = 1\n")
        runtime = store.start("run", "--resume", "r-1")
        if dice.random() < 0.5:  # it may have been taken up
            with contextlib.suppress(subprocess.TimeoutExpired):
                runtime.wait(dice.uniform(0, 0.15))
        adding = store.start("add", "r-1", more)
        kill_after(runtime, dice.uniform(0, 0.1))
        with deadline("the end of an addition"):
            code = adding.wait()
        if code == 0:
            answered.append(f"t{i}")
        elif code not in MAY_FAIL:
            raise Failure(f"the addition of t{i} ended with {code}")
    wait_for_guard(store.path)
    for verb in (("signal", "r-1", "end"), ("run", "--resume", "r-1"), ("replay", "r-1")):
        done = store.call(*verb)
        if done.returncode != 0:
            raise Failure(f"{verb[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    with sound_database(store.path) as db:
        rows = db.execute("SELECT name, state FROM task").fetchall()
        last = db.execute("SELECT name FROM event JOIN task USING (run_no, task_idx)"
                          " WHERE type = 'task_dispatched' ORDER BY seq DESC LIMIT 1").fetchone()
    counts = collections.Counter(name for name, _ in rows)
    if missing := [name for name in answered if name not in counts]:
        raise Failure(f"answered and not there: {missing}")
    if twice := [name for name, count in counts.items() if count > 1]:
        raise Failure(f"there twice: {twice}")
    if other := [row for row in rows if row[1] != "succeeded"]:
        raise Failure(f"did not succeed: {other[:3]}")
    if last != ("tidy",):
        raise Failure(f"{last} came last")
    print(f"{kills} kills, {len(answered)} additions answered, {len(rows) - 3} made: none is lost",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description="Kills a run that is given tasks.")
    parser.add_argument("--binary-dir", required=True)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    binary = os.path.join(os.path.abspath(options.binary_dir), "sluice")
    dice = random.Random(options.seed)
    return in_scratch("add", options.seed,
                      lambda folder: play(binary, folder, options.kills, dice))


if __name__ == "__main__":
    sys.exit(main())
