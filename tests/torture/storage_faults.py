#!/usr/bin/env python3
"""Takes the disk away from a running `sluice run`, gives it back, and looks at what is stored.

- A full disk: the store is on a small tmpfs that a filler file fills while the run is under way.
  Nothing is started without a record of it, the log names the cause, and once the filler is gone
  the run goes on to its end.
- Lost permissions: the store's directory and database become inaccessible under way. The run says
  what it cannot reach, and when it may again, the next run on that store succeeds.

Whatever was printed is in the event table afterwards, and the database passes its integrity check.
What the machine does not permit (mounting; another user, when we are root) is skipped and said so.
Standard library only.

Usage: storage_faults.py --binary-dir build/release
"""

import argparse
import contextlib
import json
import os
import pwd
import select
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

TASKS = 400
DEADLINE_S = 120  # for what has to happen; generous, sanitizers and a busy machine included
INSIDE = "--in-namespace"  # how this program calls itself once it may mount


class Failure(Exception):
    """Something that must hold does not."""


class Skipped(Exception):
    """This machine does not permit it."""


def write_workflow(folder):
    """Many short tasks in chains, that write nothing."""
    path = os.path.join(folder, "workflow.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("workflow: faults\ntasks:\n")
        for i in range(TASKS):
            after = f", after: [t{i - 4}]" if i >= 4 else ""
            file.write(f"  t{i}: {{exec: [/bin/sleep, '0.01']{after}}}\n")
    return path


class Run:
    """A `sluice run` under way: the events it prints, and its log."""

    def __init__(self, binary, store, workflow, user=None):
        self.store = store
        self.events = []
        self.log = ""
        self.process = subprocess.Popen(
            [binary, "--store", store, "--json", "run", workflow],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=os.path.dirname(workflow), user=user, extra_groups=[] if user else None,
        )
        self.open = {self.process.stdout.fileno(): b"", self.process.stderr.fileno(): b""}

    def read(self, timeout_s):
        ready, _, _ = select.select(list(self.open), [], [], timeout_s)
        for source in ready:
            data = os.read(source, 65536)
            if not data:
                del self.open[source]
                continue
            *lines, self.open[source] = (self.open[source] + data).split(b"\n")
            for line in lines:
                if source == self.process.stderr.fileno():
                    self.log += line.decode(errors="replace") + "\n"
                else:
                    printed = json.loads(line)
                    self.events += [printed] if "seq" in printed else []

    def read_until(self, what, done):
        until = time.monotonic() + DEADLINE_S
        while not done():
            left = until - time.monotonic()
            if left <= 0 or not self.open:
                raise Failure(f"{what}: not seen; the log says:\n{self.log}")
            self.read(left)

    def read_to_end(self):
        self.read_until("end of the run", lambda: not self.open)
        return self.process.wait(DEADLINE_S)

    def dispatched(self):
        return sum(event["type"] == "task_dispatched" for event in self.events)

    def check_store(self):
        """Every printed event is stored; returns how many tasks were dispatched."""
        with contextlib.closing(sqlite3.connect(os.path.join(self.store, "sluice.db"))) as db:
            verdict = db.execute("PRAGMA integrity_check").fetchall()
            if verdict != [("ok",)]:
                raise Failure(f"integrity_check: {verdict[:5]}")
            rows = db.execute("SELECT seq, run_no, type, task_idx, attempt FROM event")
            stored = {(seq, f"r-{run}", *others) for seq, run, *others in rows}
        for event in self.events:
            key = tuple(event.get(name) for name in ("seq", "run", "type", "task_idx", "attempt"))
            if key not in stored:
                raise Failure(f"printed but not stored: {event}")
        return sum(kind == "task_dispatched" for _, _, kind, _, _ in stored)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def fill(path):
    """Writes until there is no room left, to the last byte."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 16, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass


def full_disk(binary, folder):
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", disk],
                             capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        raise Skipped(f"cannot mount a tmpfs: {mounted.stderr.strip()}")
    filler = os.path.join(disk, "filler")
    with Run(binary, os.path.join(disk, "store"), write_workflow(folder)) as run:
        run.read_until("20 dispatches", lambda: run.dispatched() >= 20)
        fill(filler)
        run.read_until("the cause in the log", lambda: "database or disk is full" in run.log)
        printed = len(run.events)
        if run.process.poll() is not None or printed > TASKS:
            raise Failure(f"the run did not wait for the disk: {printed} events")
        os.unlink(filler)
        if (code := run.read_to_end()) != 0:
            raise Failure(f"after the disk had room again: exit {code}\n{run.log}")
        if run.check_store() != TASKS:
            raise Failure(f"{run.dispatched()} dispatches of {TASKS} tasks")
        return f"waited after {printed} events, then went on to its end"


def other_user(binary, folder):
    """Whom permissions bind: nobody special, but able to execute the program."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody").pw_uid
    try:
        subprocess.run([binary, "version"], user=nobody, extra_groups=[], check=True,
                       capture_output=True, cwd="/")
        os.chown(folder, nobody, -1)
    except (OSError, subprocess.CalledProcessError) as e:
        raise Skipped(f"permissions do not bind root, and nobody cannot run it: {e}") from e
    return nobody


def lost_permissions(binary, folder):
    user = other_user(binary, folder)
    store = os.path.join(folder, "store")
    workflow = write_workflow(folder)
    files = {store: 0o700, os.path.join(store, "sluice.db"): 0o600}
    with Run(binary, store, workflow, user) as run:
        run.read_until("20 dispatches", lambda: run.dispatched() >= 20)
        for path in reversed(files):
            os.chmod(path, 0)
        code = run.read_to_end()
        for path, mode in files.items():
            os.chmod(path, mode)
        told = run.log + "".join(json.dumps(event) for event in run.events)
        if code == 0 or not ("Permission denied" in told or "unable to open" in told):
            raise Failure(f"no clear error: exit {code}\n{told}")
        run.check_store()
        printed = len(run.events)
    with Run(binary, store, workflow, user) as run:
        if (code := run.read_to_end()) != 0:
            raise Failure(f"with the permissions back: exit {code}\n{run.log}")
        run.check_store()
    return f"ended with an error, {printed} events stored; the next run succeeded"


def play(name, test, binary):
    folder = tempfile.mkdtemp(prefix="sluice-fault-")
    try:
        print(f"{name}: {test(binary, folder)}", flush=True)
    except Skipped as why:
        print(f"{name}: SKIPPED, {why}", flush=True)
    except Failure as failure:
        print(f"{name}: FAILED: {failure}", flush=True)
        return 1
    finally:
        subprocess.run(["umount", "-l", os.path.join(folder, "disk")], capture_output=True,
                       check=False)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def in_namespace(binary_dir):
    """Runs `full_disk` where a mount is seen by nobody else."""
    arguments = [sys.executable, "-B", os.path.abspath(__file__), "--binary-dir", binary_dir, INSIDE]
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode != 0:
        print("full disk: SKIPPED, no mount namespace is permitted here", flush=True)
        return 0
    return subprocess.run(["unshare", "-rm", *arguments], check=False).returncode


def main():
    parser = argparse.ArgumentParser(description="Takes the disk away and gives it back.")
    parser.add_argument("--binary-dir", required=True)
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    binary = os.path.join(os.path.abspath(options.binary_dir), "sluice")
    if options.in_namespace:
        return play("full disk", full_disk, binary)
    failed = in_namespace(options.binary_dir)
    return play("lost permissions", lost_permissions, binary) or failed


if __name__ == "__main__":
    sys.exit(main())
