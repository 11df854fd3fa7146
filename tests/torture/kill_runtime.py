#!/usr/bin/env python3
"""Kills `sluice run` with SIGKILL at random moments, and looks at what is left.

Each round starts a run of 200 tasks (immediate ones, sleeping ones, some that leave a grandchild in
a session of its own) and kills the runtime: every second round within a millisecond after a
`task_dispatched` line of `--json`, the others at any moment between start and end. Afterwards

- no process is left that carries the instance token of that runtime or the marker of the round,
- the database opens and passes PRAGMA integrity_check,
- every line that was printed before the kill is in the event table,
- `sluice runs` shows a run that had begun, and had not ended, as interrupted.

Half of the rounds go on with the store of the round before, so a runtime also starts on what a kill
left behind. Standard library only. Needs Linux's /proc.

Usage: kill_runtime.py --binary-dir build/release [--count 100] [--seed N]
"""

import argparse
import contextlib
import json
import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import time
import uuid

from audit import (DEADLINE_S, MARKER, Failure, carriers, check_nothing_runs, deadline, in_scratch,
                   sound_database, wait_for_guard)

TASKS = 200


def write_workflow(path, marker, instance_file):
    """200 tasks of four kinds in chains: each after the one eight before it."""
    actions = [
        "exec: [/bin/true]",
        "run: sleep 0.05",
        "run: 'setsid sleep 5 & sleep 0.05'",
        "run: 'printf %s \"$SLUICE_INSTANCE\" > \"$INSTANCE_FILE\"; setsid sh -c \"sleep 5\" & true'",
    ]
    with open(path, "w", encoding="utf-8") as file:
        file.write("workflow: killed\n")
        file.write(f"env: {{{MARKER}: '{marker}', INSTANCE_FILE: '{instance_file}'}}\n")
        file.write("tasks:\n")
        for i in range(TASKS):
            after = f", after: [t{i - 8}]" if i >= 8 else ""
            action = actions[(i // 8 + i) % len(actions)]
            file.write(f"  t{i}: {{{action}{after}}}\n")



class Round:
    def __init__(self, binary, store, folder, slots):
        self.binary = binary
        self.store = store
        self.marker = uuid.uuid4().hex
        self.instance_file = os.path.join(folder, "instance")
        self.errors = os.path.join(folder, "stderr")
        self.lines = []
        self.rest = b""
        workflow = os.path.join(folder, "workflow.yaml")
        write_workflow(workflow, self.marker, self.instance_file)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.instance_file)
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [binary, "--store", store, "--json", "run", workflow, "--slots", str(slots)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
            )
        self.started = time.monotonic()

    def read(self, timeout_s):
        """Takes in what is printed within the time. False at the end of the output."""
        output = self.process.stdout.fileno()
        ready, _, _ = select.select([output], [], [], timeout_s)
        if not ready:
            return True
        data = os.read(output, 65536)
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.lines += [json.loads(line) for line in lines if line.strip()]
        return bool(data)

    def events(self):
        """The events among the lines; what was not ended by a newline was not printed."""
        return [line for line in self.lines if "seq" in line]

    def read_to_end(self):
        with deadline("end of the output"):
            while self.read(DEADLINE_S):
                pass
            return self.process.wait()

    def dispatched(self):
        return sum(line.get("type") == "task_dispatched" for line in self.lines)

    def kill_after_dispatches(self, count, delay_s):
        """Kills within `delay_s` after the line of the `count`th dispatch came."""
        with deadline("a task_dispatched line"):
            while self.dispatched() < count and self.read(DEADLINE_S):
                pass
        until = time.monotonic() + delay_s
        while time.monotonic() < until:
            pass  # shorter than a sleep can be
        self.process.kill()

    def kill_at(self, moment_s):
        while (left := self.started + moment_s - time.monotonic()) > 0 and self.read(left):
            pass
        self.process.kill()

    def instance(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.instance_file, encoding="utf-8") as file:
                return file.read().strip()
        return ""

    def check_processes(self):
        tokens = [f"{MARKER}={self.marker}"]
        if self.instance():
            tokens.append(f"SLUICE_INSTANCE={self.instance()}")
        check_nothing_runs(tokens)

    def check_store(self):
        path = os.path.join(self.store, "sluice.db")
        events = self.events()
        if not os.path.exists(path):
            if events:
                raise Failure(f"{len(events)} lines were printed, but there is no database")
            return
        with sound_database(self.store) as db:
            stored = set()
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'event'").fetchone():
                rows = db.execute("SELECT seq, run_no, type, task_idx, attempt FROM event")
                stored = {(seq, f"r-{run}", *others) for seq, run, *others in rows}
        for event in events:
            key = tuple(event.get(name) for name in ("seq", "run", "type", "task_idx", "attempt"))
            if key not in stored:
                raise Failure(f"printed but not stored: {event}")

    def is_over(self):
        """Whether the end of the run is stored: the kill came too late to interrupt anything."""
        path = os.path.join(self.store, "sluice.db")
        events = self.events()
        if not os.path.exists(path) or not events:
            return False
        run_no = int(events[0]["run"].removeprefix("r-"))
        with contextlib.closing(sqlite3.connect(path)) as db:
            query = "SELECT 1 FROM event WHERE type = 'run_finished' AND run_no = ?"
            return db.execute(query, (run_no,)).fetchone() is not None

    def end_leftovers(self):
        """What tasks left in sessions of their own, on purpose, when their run was over."""
        for pid, _ in carriers([f"{MARKER}={self.marker}"]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def check_shown_as_interrupted(self):
        events = self.events()
        if not events:
            return
        shown = subprocess.run(
            [self.binary, "--store", self.store, "runs"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )
        run = events[0]["run"]
        mine = [line for line in shown.stdout.splitlines() if run in line.split()]
        if len(mine) != 1 or "interrupted" not in mine[0]:
            raise Failure(f"`sluice runs` shows {mine or shown.stdout + shown.stderr} for {run}")


def calibrate(binary, folder, slots):
    """How long an undisturbed run takes. Also the proof that this workflow does succeed."""
    store = os.path.join(folder, "undisturbed")
    one = Round(binary, store, folder, slots)
    code = one.read_to_end()
    took_s = time.monotonic() - one.started
    if code != 0 or one.dispatched() != TASKS:
        with open(one.errors, encoding="utf-8", errors="replace") as file:
            raise Failure(f"undisturbed: exit {code}, {one.dispatched()} dispatches\n{file.read()}")
    one.check_store()
    one.end_leftovers()
    return took_s


def play(binary, folder, store, number, took_s, dice, slots):
    """One round. Returns what to print, or nothing when the run was over before the kill."""
    one = Round(binary, store, folder, slots)
    if number % 2 == 0:
        one.kill_after_dispatches(dice.randint(1, TASKS - slots), dice.uniform(0, 0.001))
        how = f"after dispatch {one.dispatched()}"
    else:
        moment_s = dice.uniform(0, took_s)
        one.kill_at(moment_s)
        how = f"at {moment_s * 1000:.0f} ms"
    code = one.read_to_end()
    over = one.is_over()
    if code != -signal.SIGKILL and not (over and code == 0):
        with open(one.errors, encoding="utf-8", errors="replace") as file:
            raise Failure(f"ended by itself with {code}\n{file.read()}")
    wait_for_guard(store)
    one.check_store()
    if over:
        one.end_leftovers()
        return ""
    one.check_processes()
    one.check_shown_as_interrupted()
    return f"killed {how}: {len(one.events())} lines, all stored; no process left"


def main():
    parser = argparse.ArgumentParser(description="Kills the runtime and looks at what is left.")
    parser.add_argument("--binary-dir", required=True)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--slots", type=int, default=8)
    options = parser.parse_args()
    binary = os.path.join(os.path.abspath(options.binary_dir), "sluice")
    dice = random.Random(options.seed)

    def rounds(folder):
        took_s = calibrate(binary, folder, options.slots)
        print(f"an undisturbed run takes {took_s:.2f} s", flush=True)
        number = stores = 0
        while number < options.count:
            if number == 0 or dice.random() < 0.5:
                stores += 1
            store = os.path.join(folder, f"store-{stores}")
            if shown := play(binary, folder, store, number, took_s, dice, options.slots):
                number += 1
                print(f"{number:3}  {shown}", flush=True)
        print(f"{options.count} kills, nothing lost, nothing left")

    return in_scratch("kill", options.seed, rounds)


if __name__ == "__main__":
    sys.exit(main())
