#!/usr/bin/env python3
"""Kills a run again and again with SIGKILL, takes it up each time, and audits what was started.

300 tasks write a line with their name and attempt into a ledger when they start. The runtime is killed at
random moments, `sluice run --resume` goes on, until the run has succeeded. Then

- no attempt has started twice, and each one that did has its row,
- every attempt after a task's first follows attempts that are recorded as lost,
- no task has started again after its success was printed,
- every task has succeeded, no process is left, and the database passes PRAGMA integrity_check.

Standard library only. Needs Linux's /proc.

Usage: resume_run.py --binary-dir build/release [--kills 50] [--rounds 1] [--seed N]
"""

import argparse
import collections
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import uuid

from audit import (MARKER, Failure, check_nothing_runs, deadline, in_scratch, sound_database,
                   wait_for_guard)

TASKS = 300


def write_workflow(path, marker, ledger):
    """Chains, fans and joins of tasks that last from nothing to 50 ms."""
    start = 'echo "$SLUICE_TASK $SLUICE_ATTEMPT" >>"$LEDGER"'
    with open(path, "w", encoding="utf-8") as file:
        file.write("workflow: resumed\n")
        file.write(f"env: {{{MARKER}: '{marker}', LEDGER: '{ledger}'}}\n")
        file.write("defaults: {crash_limit: 250}\n")
        file.write("tasks:\n")
        for i in range(TASKS):
            upstreams = [f"t{i - step}" for step in (7, 30) if i >= step and i % 3]
            after = f", after: [{', '.join(upstreams)}]" if upstreams else ""
            nap = ("", "; sleep 0.01", "; sleep 0.05")[i % 3]
            # A value from upstream, so that inputs are found again too.
            if i >= 7 and i % 3:
                value = f", in: {{v: '${{{{ tasks.t{i - 7}.out.v }}}}'}}"
                check = f'; test "$v" = {i - 7}'
            else:
                value = check = ""
            run = f"{start}{nap}{check}; echo v={i} >\"$SLUICE_OUT\""
            file.write(f"  t{i}: {{run: {json.dumps(run)}, out: {{v: int}}{value}{after}}}\n")


class Life:
    """One runtime, from its start to its end or its violent death."""

    def __init__(self, command, folder):
        self.lines = open(os.path.join(folder, "lines"), "w+b")
        self.errors = open(os.path.join(folder, "stderr"), "w+b")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.lines,
                                        stderr=self.errors, cwd=folder)

    def end(self, kill_after_s=None):
        """Waits for its end. Returns the exit code; negative: the signal."""
        if kill_after_s is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(kill_after_s)
            self.process.kill()
        with deadline("the end of the runtime"):
            return self.process.wait()

    def printed(self):
        """The events it printed, less a line that the kill cut."""
        self.lines.seek(0)
        whole = self.lines.read().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.split(b"\n") if line.strip()]

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")


def check(store, ledger, successes):
    """Compares ledger and database with what was printed. Returns the number of starts."""
    with sound_database(store) as db:
        rows = db.execute("SELECT t.name, a.attempt, a.class FROM attempt a JOIN task t"
                          " USING (run_no, task_idx)").fetchall()
        states = dict(db.execute("SELECT state, count(*) FROM task GROUP BY state").fetchall())
    classes = {(name, attempt): kind for name, attempt, kind in rows}
    with open(ledger, encoding="utf-8") as file:
        starts = [(line.split()[0], int(line.split()[1])) for line in file]
    twice = [start for start, count in collections.Counter(starts).items() if count > 1]
    if twice:
        raise Failure(f"started twice: {twice[:3]}")
    for task, attempt in starts:
        if (task, attempt) not in classes:
            raise Failure(f"{task}#{attempt} started and has no row")
        for earlier in range(1, attempt):
            if classes.get((task, earlier)) != "lost":
                raise Failure(f"{task}#{attempt} started after #{earlier}, which ended as "
                              f"{classes.get((task, earlier))}")
        if attempt > successes.get(task, attempt):
            raise Failure(f"{task}#{attempt} started after the success of #{successes[task]}")
    if states != {"succeeded": TASKS}:
        raise Failure(f"the tasks ended as {states}")
    return len(starts)


def play(binary, folder, kills, dice):
    store, ledger = os.path.join(folder, "store"), os.path.join(folder, "ledger")
    workflow, marker = os.path.join(folder, "workflow.yaml"), uuid.uuid4().hex
    write_workflow(workflow, marker, ledger)
    sluice = [binary, "--store", store, "--json", "run", "--slots", "8"]
    successes, done, longest_s = {}, 0, 0.08  # most get a few tasks further
    while True:
        # A kill may come before the run is stored: then there is nothing to take up.
        has_run = os.path.exists(os.path.join(store, "sluice.db")) and subprocess.run(
            [binary, "--store", store, "show", "r-1", "--quiet"],
            capture_output=True, check=False).returncode == 0
        life = Life(sluice + (["--resume", "r-1"] if has_run else [workflow]), folder)
        code = life.end(dice.uniform(0, longest_s) if done < kills else None)
        for event in life.printed():
            if event["type"] == "task_finished" and event["to"] == "succeeded":
                successes[event["task"]] = event["attempt"]
        if code == 0:
            break
        if code != -signal.SIGKILL:
            raise Failure(f"ended by itself with {code}\n{life.said()}")
        done += 1
    wait_for_guard(store)
    check_nothing_runs([f"{MARKER}={marker}"])
    return done, check(store, ledger, successes)


def main():
    parser = argparse.ArgumentParser(description="Kills a run and takes it up, again and again.")
    parser.add_argument("--binary-dir", required=True)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    binary = os.path.join(os.path.abspath(options.binary_dir), "sluice")
    dice = random.Random(options.seed)

    def rounds(folder):
        for number in range(options.rounds):
            there = os.path.join(folder, str(number))
            os.mkdir(there)
            kills, starts = play(binary, there, options.kills, dice)
            print(f"{kills} kills, {TASKS} tasks, {starts} starts: nothing lost, nothing done again",
                  flush=True)

    return in_scratch("resume", options.seed, rounds)


if __name__ == "__main__":
    sys.exit(main())
