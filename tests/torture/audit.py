"""What the torture programs share. Standard library only. Needs Linux's /proc."""

import contextlib
import fcntl
import glob
import os
import shutil
import signal
import sqlite3
import tempfile

DEADLINE_S = 120  # for what has to happen; generous, sanitizers and a busy machine included
MARKER = "KILL_TEST_MARKER"


class Failure(Exception):
    """Something that must hold does not."""


@contextlib.contextmanager
def deadline(what):
    """Raises Failure when the block, which may block in the kernel, takes too long."""

    def give_up(_signal, _frame):
        raise Failure(f"{what}: not within {DEADLINE_S} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(DEADLINE_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def carriers(tokens):
    """Pid and command of each process that has one of the tokens in its environment."""
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        pid = int(path.split("/")[2])
        if pid == os.getpid():
            continue
        try:
            with open(path, "rb") as file:
                environment = file.read()
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # it ended, or is not ours
        if any(token.encode() in environment for token in tokens):
            found.append((pid, command))
    return found


def wait_for_guard(store):
    """The guard holds its lock until it has found nothing more to kill."""
    path = os.path.join(store, "guard.lock")
    if not os.path.exists(path):
        return  # killed before the guard started, so before any task
    with open(path, "rb") as lock, deadline("the end of the guard"):
        fcntl.flock(lock, fcntl.LOCK_SH)


def check_nothing_runs(tokens):
    if left := carriers(tokens):
        raise Failure(f"{len(left)} processes are left, such as {left[:3]}")


@contextlib.contextmanager
def sound_database(store):
    """The store's database, once it has passed an integrity check."""
    with contextlib.closing(sqlite3.connect(os.path.join(store, "sluice.db"))) as db:
        verdict = db.execute("PRAGMA integrity_check").fetchall()
        if verdict != [("ok",)]:
            raise Failure(f"integrity_check: {verdict[:5]}")
        yield db


def in_scratch(name, seed, work):
    """Calls `work` with an empty directory, which stays when it fails. Returns an exit code."""
    print(f"seed {seed}", flush=True)
    folder = tempfile.mkdtemp(prefix=f"sluice-{name}-")
    try:
        work(folder)
    except Failure as failure:
        print(f"FAILED: {failure}\nseed {seed}; kept: {folder}", flush=True)
        return 1
    shutil.rmtree(folder)
    return 0
