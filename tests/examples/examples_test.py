#!/usr/bin/env python3
"""Runs every example with the real program and looks at its results: states, outputs, logs, files.

An example without a test here is a failure. Each test works on a copy of examples/, with a store of
its own, so that the tree stays clean and tests do not meet.

Usage: examples_test.py BINARY_DIR [UNITTEST ARGUMENTS]
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from contextlib import closing

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "examples")
DEADLINE_S = 240
SLUICE = ""


class Outcome:
    """What one `sluice run` left: exit code, what it printed, and what is stored."""

    def __init__(self, done, store):
        self.code = done.returncode
        self.stdout = done.stdout
        self.stderr = done.stderr
        self.store = store
        self.states = {}
        self.outputs = {}
        self.failures = {}
        self.run_state = self.degraded = None
        path = os.path.join(store, "sluice.db")
        if not os.path.exists(path):
            return
        with closing(sqlite3.connect(path)) as db:
            self.run_state, self.degraded = db.execute("SELECT state, degraded FROM run").fetchone()
            query = (
                "SELECT name, state, outputs, class, code FROM task"
                " LEFT JOIN task_text USING (run_no, task_idx)"
            )
            for name, state, outputs, failure_class, code in db.execute(query):
                self.states[name] = state
                if outputs is not None:
                    self.outputs[name] = json.loads(outputs)
                if failure_class is not None:
                    self.failures[name] = (failure_class, code)

    def named(self, state):
        return {name for name, its in self.states.items() if its == state}

    def started(self):
        """The tasks of all attempts, as they were dispatched."""
        with closing(sqlite3.connect(os.path.join(self.store, "sluice.db"))) as db:
            query = (
                "SELECT name FROM event JOIN task USING (run_no, task_idx)"
                " WHERE type = 'task_dispatched' ORDER BY seq"
            )
            return [name for (name,) in db.execute(query)]

    def log(self, task):
        done = subprocess.run(
            [SLUICE, "--store", self.store, "logs", f"@last/{task}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S, check=True,
        )
        return done.stdout


class ExamplesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-examples-")
        self.addCleanup(folder.cleanup)
        self.folder = os.path.join(folder.name, "examples")
        shutil.copytree(EXAMPLES, self.folder, ignore=shutil.ignore_patterns("out", ".sluice"))
        self.stores = 0

    def run_file(self, name, *arguments, code=0, before=()):
        self.stores += 1
        store = os.path.join(self.folder, f"store-{self.stores}")
        for verb in before:
            subprocess.run([SLUICE, "--store", store, *verb], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, timeout=DEADLINE_S, check=True)
        done = subprocess.run(
            [SLUICE, "--store", store, "run", os.path.join(self.folder, name), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
            cwd=os.path.dirname(self.folder),
            env=os.environ | {"PATH": os.path.dirname(SLUICE) + ":" + os.environ["PATH"]},
        )
        outcome = Outcome(done, store)
        self.assertEqual(outcome.code, code, done.stdout + done.stderr)
        return outcome

    def run_beside(self, name, *verbs):
        """Runs a file that waits for somebody; `verbs` are what they do, each once it can."""
        self.stores += 1
        store = os.path.join(self.folder, f"store-{self.stores}")
        call = [SLUICE, "--store", store]
        run = subprocess.Popen(
            [*call, "run", os.path.join(self.folder, name)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            cwd=os.path.dirname(self.folder),
        )
        self.addCleanup(run.kill)
        said = ""
        for waits_for, verb in verbs:
            while waits_for not in said:
                line = run.stdout.readline()
                self.assertNotEqual(line, "", said)
                said += line
            subprocess.run(
                [*call, *verb], stdin=subprocess.DEVNULL, timeout=DEADLINE_S, check=True,
                stdout=subprocess.DEVNULL)
        said += run.stdout.read()
        run.stdout.close()
        run.wait(DEADLINE_S)
        run.stderr = ""
        run.stdout = said
        return Outcome(run, store)

    def test_approval_yaml(self):
        outcome = self.run_beside(
            "approval.yaml",
            ("sluice", ["approve", "@last/approve", "-i", "target=staging", "--by", "ana"]))
        self.assertEqual(outcome.code, 0, outcome.stdout)
        self.assertEqual(
            outcome.outputs["approve"], {"target": "staging", "replicas": 2, "by": "ana"})
        self.assertEqual(
            outcome.log("publish"), "version 1.4.2 is on staging, 2 times, as ana wants it\n")
        outcome = self.run_beside("approval.yaml", ("sluice", ["reject", "@last/approve"]))
        self.assertEqual(outcome.code, 1, outcome.stdout)
        self.assertEqual(outcome.failures["approve"], ("gate", "rejected"))
        self.assertEqual(outcome.states["publish"], "skipped")

    def check_inventory(self, outcome):
        self.assertEqual(outcome.code, 0, outcome.stdout)
        self.assertEqual(outcome.named("succeeded"), set(outcome.states))
        self.assertEqual(outcome.started(), ["count", "weigh", "label", "report"])
        self.assertEqual(outcome.log("weigh"), "weighed 3 boxes\n")
        replayed = subprocess.run(
            [SLUICE, "--store", outcome.store, "replay", "@last"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        self.assertEqual(replayed.returncode, 0, replayed.stdout + replayed.stderr)

    def test_adding_tasks_yaml(self):
        more = os.path.join(self.folder, "adding-tasks/more.yaml")
        outcome = self.run_beside(
            "adding-tasks.yaml",
            ("a signal", ["add", "@last", more]), ("weigh", ["signal", "@last", "closed"]))
        self.check_inventory(outcome)
        self.assertEqual(outcome.log("report"), "the inventory is over, succeeded\n")

    def test_the_tasks_of_the_document_are_added(self):
        with open(os.path.join(ROOT, "docs/adding-tasks.md"), encoding="utf-8") as file:
            blocks = re.findall(r"```yaml\n# (\S+)\n(.*?)```", file.read(), re.DOTALL)
        self.assertEqual([name for name, _ in blocks], ["inventory.yaml", "more.yaml"])
        for name, block in blocks:
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(block)
        outcome = self.run_beside(
            "inventory.yaml",
            ("a signal", ["add", "@last", os.path.join(self.folder, "more.yaml")]),
            ("weigh", ["signal", "@last", "closed"]))
        self.check_inventory(outcome)

    def test_gates_yaml(self):
        outcome = self.run_beside(
            "gates.yaml",
            ("a signal", ["gate", "close", "warehouse", "--reason", "stocktaking"]),
            ("a signal", ["signal", "@last", "delivered", '{"boxes": 3}']),
            ("gate open", ["gate", "open", "warehouse"]))
        self.assertEqual(outcome.code, 0, outcome.stdout)
        self.assertEqual(outcome.log("unpack"), "unpacked 3 boxes\n")
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            changes = db.execute("SELECT name, is_open, reason FROM gate_change").fetchall()
            self.assertEqual(changes, [("warehouse", 0, "stocktaking"), ("warehouse", 1, "")])
            self.assertEqual(
                db.execute("SELECT name, count(*) FROM quota_pass").fetchone(), ("orders", 1))
            for table in ("timer", "awaited", "signal"):
                self.assertEqual(db.execute(f"SELECT count(*) FROM {table}").fetchone(), (0,))

    def test_finally_yaml(self):
        outcome = self.run_file("finally.yaml")
        self.assertEqual(outcome.named("succeeded"), set(outcome.states))
        self.assertEqual(outcome.log("report"), "succeeded, failed [], 3 rows, load succeeded\n")
        outcome = self.run_file("finally.yaml", "-p", "rows=0", code=1)
        self.assertEqual(outcome.run_state, "failed")
        self.assertEqual(outcome.states["load"], "skipped")
        self.assertEqual(
            outcome.log("report"), 'failed, failed ["check"], 0 rows, load skipped\n')
        self.assertFalse(os.path.exists(os.path.join(self.folder, "out/scratch")))

    def test_second_chance_yaml(self):
        outcome = self.run_file("second-chance.yaml")
        self.assertEqual(outcome.named("succeeded"), set(outcome.states))
        self.assertEqual(outcome.log("order"), "4 rows at 41.5\n")
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            attempts = db.execute(
                "SELECT name, attempt.attempt, role, attempt.state, class, code"
                " FROM attempt JOIN task USING (run_no, task_idx)"
                " WHERE name <> 'order' ORDER BY name, attempt.attempt"
            ).fetchall()
            validated = db.execute(
                "SELECT count(*) FROM event WHERE type = 'task_validating'").fetchone()
        self.assertEqual(
            attempts,
            [
                ("measure", 1, "action", "failed", "validation", "1"),
                ("measure", 2, "action", "succeeded", None, None),
                ("quote", 1, "action", "failed", "exit", "7"),
                ("quote", 2, "fallback", "succeeded", None, None),
            ],
        )
        self.assertLessEqual(validated[0], 2)  # a validation that is short is told as done

    def test_groups_yaml(self):
        outcome = self.run_file("groups.yaml", "--slots", "4")
        self.assertEqual(outcome.named("succeeded"), set(outcome.states))
        self.assertEqual(outcome.log("report"), "north succeeded\n")
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            moves = db.execute(
                "SELECT name, to_state FROM event JOIN task USING (run_no, task_idx) ORDER BY seq"
            ).fetchall()
            stats = db.execute(
                "SELECT group_name, tasks, succeeded FROM task_stats_by_group ORDER BY 1").fetchall()
        self.assertEqual(stats, [("fetch", 4, 4), ("report", 1, 1)])
        under_way, most = set(), 0
        for name, state in moves:
            if state == "dispatched":
                under_way.add(name)
            elif state == "succeeded":
                under_way.discard(name)
            most = max(most, len(under_way))
        self.assertEqual(most, 2)

    def test_budget_yaml(self):
        outcome = self.run_file("budget.yaml")
        self.assertEqual(outcome.named("succeeded"), set(outcome.states))
        self.assertEqual(outcome.log("ask[rain]"), "asking about rain for at most 0.25\n")
        shown = subprocess.run(
            [SLUICE, "--store", outcome.store, "show", "@last"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
        self.assertIn("cost 0.60 / 1.00  tokens 480 / 100000", shown.stdout.splitlines()[0])
        outcome = self.run_file("budget.yaml", "-p", "price=0.60", code=1)
        # The first may be over before it is stopped; none of the others has started.
        self.assertEqual(len(outcome.started()), 1)
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            failed = db.execute(
                "SELECT count(*) FROM task JOIN task_text USING (run_no, task_idx)"
                " WHERE class = 'budget' AND code = 'cost' AND node_idx IS NOT NULL").fetchone()
        self.assertIn(failed[0], (3, 4))

    def test_rollback_yaml(self):
        site = os.path.join(self.folder, "out/site/index.html")
        outcome = self.run_file("rollback.yaml")
        self.assertEqual(outcome.states["publish"], "succeeded")
        with open(site) as published:
            self.assertEqual(published.read(), "edition 1\n")
        outcome = self.run_file("rollback.yaml", "-p", "edition=2", "-p", "broken=true", code=1)
        self.assertEqual(outcome.run_state, "failed")
        self.assertEqual(outcome.states["publish"], "rolled_back")
        self.assertEqual(outcome.states["announce"], "skipped")
        self.assertEqual(outcome.states["unlock"], "succeeded")
        with open(site) as published:
            self.assertEqual(published.read(), "edition 1\n")
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            moves = db.execute(
                "SELECT event.attempt, from_state, to_state FROM event"
                " JOIN task USING (run_no, task_idx)"
                " WHERE name = 'publish' AND to_state <> 'dispatched' ORDER BY seq"
            ).fetchall()
            snapshots = db.execute(
                "SELECT run_no, attempt FROM event WHERE type = 'task_snapshot' ORDER BY seq"
            ).fetchall()
            kept = db.execute("SELECT count(*) FROM snapshot").fetchone()
        self.assertEqual(moves[-4:], [
            (2, moves[-4][1], "failed"),
            (2, "failed", "rolling_back"),
            (3, "rolling_back", "rolling_back"),
            (3, "rolling_back", "rolled_back"),
        ])
        self.assertEqual(snapshots, [(1, 1)])
        self.assertEqual(kept, (0,))

    def test_compensate_yaml(self):
        desk = os.path.join(self.folder, "out/desk")
        outcome = self.run_file("compensate.yaml")
        self.assertEqual(outcome.run_state, "succeeded")
        self.assertEqual(sorted(os.listdir(desk)), ["flight", "hotel", "journal"])
        outcome = self.run_file("compensate.yaml", "-p", "budget=500", code=1)
        self.assertEqual(outcome.run_state, "rolled_back")
        self.assertEqual(outcome.named("rolled_back"), {"flight", "hotel"})
        self.assertEqual(outcome.states["report"], "succeeded")
        self.assertEqual(sorted(os.listdir(desk)), ["journal"])
        with open(os.path.join(desk, "journal")) as journal:
            self.assertEqual(
                journal.read().splitlines(),
                [
                    "the trip is succeeded",
                    "gave back the hotel",
                    'gave back the flight: {"price":300}',
                    "the trip is rolled_back",
                ],
            )

    def test_etl_yaml(self):
        outcome = self.run_file("etl.yaml")
        self.assertEqual(outcome.run_state, "succeeded")
        self.assertEqual(outcome.named("failed") | outcome.named("cancelled"), set())
        zones = outcome.outputs["zones"]
        self.assertGreater(zones["rows"], 250)
        self.assertIn("Europe", zones["continents"])
        self.assertEqual(outcome.outputs["countries"]["rows"], 249)
        self.assertEqual(outcome.outputs["winter"]["rows"], zones["rows"])
        self.assertEqual(outcome.outputs["joined"]["rows"], zones["pairs"])
        self.assertEqual(outcome.outputs["check"], {"checks": 8})
        self.assertEqual(outcome.outputs["load"]["rows"], zones["pairs"])
        expected = "succeeded" if outcome.outputs["joined"]["unzoned"] else "skipped"
        self.assertEqual(outcome.states["unzoned"], expected)
        with closing(sqlite3.connect(os.path.join(self.folder, "out/etl/zones.db"))) as db:
            ask = lambda sql: db.execute(sql).fetchall()
            self.assertEqual(ask("SELECT count(*) FROM place"), [(zones["pairs"],)])
            self.assertEqual(ask("SELECT sum(zones) FROM continent"), [(zones["rows"],)])
            self.assertEqual(ask("SELECT sum(zones) FROM utc_offset"), [(zones["rows"],)])
            self.assertEqual(
                ask("SELECT winter_min, summer_min FROM place WHERE zone = 'Europe/Madrid'"),
                [(60, 120)],
            )
            self.assertEqual(
                ask("SELECT country, winter_min FROM place WHERE zone = 'Asia/Kathmandu'"),
                [("Nepal", 345)],
            )
        report = outcome.log("report")
        for part in (f"{zones['rows']} zones", "8 checks passed", "Europe", "+05:45  Nepal"):
            self.assertIn(part, report)
        with open(os.path.join(self.folder, "out/etl/report.txt"), encoding="utf-8") as file:
            self.assertEqual(file.read(), report)

    def test_etl_yaml_names_missing_data(self):
        outcome = self.run_file("etl.yaml", "-p", "zoneinfo=/nonexistent", code=1)
        self.assertEqual(outcome.named("failed"), {"prepare"})
        self.assertEqual(outcome.named("skipped"), set(outcome.states) - {"prepare"})
        self.assertIn("is tzdata installed?", outcome.stdout + outcome.stderr)

    def test_fan_out_yaml(self):
        outcome = self.run_file("fan-out.yaml")
        self.assertEqual(outcome.log("report"), "3200 rows, best score 16, tree of depth 2 has 8\n")
        self.assertEqual(outcome.log("load[mea]"), "load[mea] is 3 of 8\n")
        few = self.run_file("fan-out.yaml", "-p", "regions=[eu, us]")
        self.assertEqual(few.log("report"), "400 rows, best score 16, tree of depth 2 has 8\n")

    def test_sub_workflow_yaml(self):
        outcome = self.run_file("sub-workflow.yaml")
        self.assertEqual(outcome.run_state, "succeeded")
        self.assertEqual(outcome.log("report"), "24 rows, at most 12 of one region\n")
        self.assertIn('rows = 24', outcome.stdout)
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            runs = db.execute(
                "SELECT run_no, state, parent_run_no, json_extract(params, '$.name'), results"
                " FROM run WHERE parent_run_no IS NOT NULL ORDER BY run_no"
            ).fetchall()
        self.assertEqual([run[:4] for run in runs], [
            (2, "succeeded", 1, "eu"), (3, "succeeded", 1, "us"), (4, "succeeded", 1, "apac")])
        self.assertEqual([json.loads(run[4])["rows"] for run in runs], [6, 6, 12])
        alone = self.run_file("sub-workflow/region.yaml", "-p", "name=eu")
        self.assertIn("rows = 6", alone.stdout)

    def test_priority_yaml(self):
        outcome = self.run_file("priority.yaml", "--slots", "1")
        self.assertEqual(outcome.started(), ["question", "answer"] + 10 * ["reports"])

    def test_resources_yaml(self):
        outcome = self.run_file("resources.yaml", "--resource", "cpu=1")
        self.assertEqual(set(outcome.states.values()), {"succeeded"})
        self.assertEqual(outcome.log("crunch[0]"), "with 0.5 processors\n")
        self.assertEqual(outcome.log("train"), "gpus none\n")
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            starts = [us for (us,) in db.execute(
                "SELECT dispatched_us FROM attempt JOIN task USING (run_no, task_idx)"
                " WHERE name = 'ask' ORDER BY dispatched_us")]
            self.assertGreaterEqual(starts[3] - starts[0], 1_000_000)
        with_gpu = self.run_file("resources.yaml", "--resource", "gpu=1")
        self.assertEqual(with_gpu.log("train"), "gpus 0\n")

    def test_pool_yaml(self):
        outcome = self.run_file("pool.yaml", "--slots", "4-8",
                                before=[["pool", "set", "source-db", "2"]])
        self.assertEqual(set(outcome.states.values()), {"succeeded"})
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            spans = db.execute(
                "SELECT started_us, finished_us FROM attempt WHERE holds IS NOT NULL").fetchall()
        self.assertEqual(len(spans), 8)
        for at, _ in spans:
            self.assertLessEqual(sum(start <= at < end for start, end in spans), 2)

    def test_preemption_yaml(self):
        outcome = self.run_file("preemption.yaml", "--slots", "2")
        self.assertEqual(outcome.outputs["background"], {"from": "half"})
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            attempts = db.execute(
                "SELECT attempt.attempt, class, code FROM attempt JOIN task USING (run_no, task_idx)"
                " WHERE name = 'background' ORDER BY attempt.attempt").fetchall()
        self.assertEqual(attempts, [(1, "lost", "preempted"), (2, None, None)])

    def test_secrets_yaml(self):
        outcome = self.run_file("secrets.yaml")
        self.assertEqual(outcome.log("call"), "Authorization: Bearer ***\ndXNlcjp***\n")
        self.assertEqual(outcome.log("check"), "record 17 with a token of 18 characters\n")
        self.assertEqual(outcome.failures["careless"], ("permanent", "secret_in_output"))
        with open(os.path.join(outcome.store, "sluice.db"), "rb") as file:
            self.assertNotIn(b"example-token", file.read())

    def test_fan_in_yaml(self):
        outcome = self.run_file("fan-in.yaml", "-p", "limit=2000")
        self.assertEqual(outcome.outputs["total"], {"total": 2000 * 2001 * 4001 // 6})
        self.assertEqual(set(outcome.states.values()), {"succeeded"})

    def test_conditions_yaml(self):
        outcome = self.run_file("conditions.yaml")
        self.assertEqual(outcome.named("skipped"), {"large", "only-after-large", "fallback"})
        self.assertEqual(outcome.named("succeeded"), {"small", "settled", "probe", "summary"})
        self.assertEqual(outcome.outputs["settled"], {"fee": 1})
        self.assertEqual(outcome.log("summary"), "fee 1, probe succeeded, fallback skipped\n")
        self.assertEqual((outcome.run_state, outcome.degraded), ("succeeded", 0))

    def test_conditions_yaml_the_other_way(self):
        outcome = self.run_file("conditions.yaml", "-p", "amount=2500", "-p", "probe_exit=3")
        self.assertEqual(outcome.named("skipped"), {"small"})
        self.assertEqual(outcome.named("failed"), {"probe"})
        self.assertEqual(outcome.failures["probe"], ("exit", "3"))
        self.assertEqual(outcome.outputs["settled"], {"fee": 25})
        self.assertEqual(outcome.log("summary"), "fee 25, probe failed, fallback succeeded\n")
        self.assertEqual((outcome.run_state, outcome.degraded), ("succeeded", 1))

    def test_failing_yaml(self):
        outcome = self.run_file("failing.yaml", code=1)
        self.assertEqual(outcome.run_state, "failed")
        self.assertEqual(
            outcome.states,
            {"extract": "succeeded", "transform": "failed", "load": "skipped", "tidy": "succeeded"},
        )
        self.assertEqual(outcome.failures["transform"], ("exit", "3"))
        self.assertEqual(outcome.log("tidy"), "tidying up after a transform that failed\n")
        # The report names the task, its exit, the end of its log and where to look.
        report = outcome.stdout + outcome.stderr
        for part in ("transform", "exit 3", "'twelve' is no number", "logs r-1/transform"):
            self.assertIn(part, report)

    def test_handlers_yaml(self):
        outcome = self.run_file("handlers.yaml")
        self.assertEqual(outcome.named("failed"), {"refused"})
        self.assertEqual(outcome.failures["refused"], ("exit", "7"))
        self.assertEqual(outcome.outputs["values"], {"greeting": "hello", "numbers": [1, 2, 3]})
        self.assertEqual(outcome.outputs["derived"], {"text": "hello times 3", "largest": 3})
        self.assertEqual(outcome.log("shown"), "hello times 3, the largest is 3\n")
        self.assertEqual(outcome.degraded, 1)

    def test_once_yaml(self):
        store = os.path.join(self.folder, "once")

        def run(*arguments):
            done = subprocess.run(
                [SLUICE, "--store", store, "run", os.path.join(self.folder, "once.yaml"), *arguments],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S,
                check=True)
            outcome = Outcome(done, store)
            return outcome.log("announce")

        self.assertEqual(run(), "see https://reports.example/2026-03-01/r-1\n")
        self.assertEqual(run(), "see https://reports.example/2026-03-01/r-1\n")
        self.assertEqual(
            run("-p", "day=2026-03-02"), "see https://reports.example/2026-03-02/r-3\n")

    def test_retry_yaml(self):
        outcome = self.run_file("retry.yaml")
        self.assertEqual(outcome.failures, {"ask": ("exit", "2")})
        self.assertEqual(outcome.outputs["fetch"], {"rows": 42})
        self.assertEqual(outcome.log("pay"), "paid for 42 rows\n")
        self.assertEqual((outcome.run_state, outcome.degraded), ("succeeded", 1))
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            attempts = db.execute(
                "SELECT name, attempt.attempt, attempt.state, class, dispatched_us,"
                " attempt.finished_us"
                " FROM attempt JOIN task USING (run_no, task_idx) ORDER BY name, attempt.attempt"
            ).fetchall()
            self.assertEqual(db.execute("SELECT count(*) FROM timer").fetchone(), (0,))
        self.assertEqual(
            [row[:4] for row in attempts],
            [
                ("ask", 1, "failed", "exit"),
                ("fetch", 1, "failed", "transient"),
                ("fetch", 2, "failed", "transient"),
                ("fetch", 3, "succeeded", None),
                ("pay", 1, "succeeded", None),
                ("report", 1, "succeeded", None),
            ],
        )
        starts, ends = [row[4] for row in attempts[1:4]], [row[5] for row in attempts[1:4]]
        self.assertGreaterEqual(starts[1] - ends[0], 50_000)  # 100 ms, at most half of it taken off
        self.assertGreaterEqual(starts[2] - ends[1], 100_000)

    def test_hello_json(self):
        outcome = self.run_file("hello.json", "-p", "name=Ada")
        self.assertEqual(outcome.log("greet"), "hello, Ada\nhello, Ada\n")
        self.assertEqual(outcome.outputs["greet"], {"greeting": "hello, Ada"})
        self.assertEqual(outcome.log("count"), "10 characters\n")
        self.assertEqual(outcome.log("bye"), "bye\n")

    def test_checkpoint_yaml(self):
        outcome = self.run_file("checkpoint.yaml", "-p", "items=3")
        self.assertEqual(outcome.outputs["work"], {"items": 3, "from": 2})
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            saved = db.execute(
                "SELECT attempt, data ->> 'token' FROM event WHERE type = 'task_checkpoint'"
                " ORDER BY seq"
            ).fetchall()
            self.assertEqual(saved, [(1, "item-1"), (1, "item-2"), (2, "item-3")])
            self.assertEqual(db.execute("SELECT count(*) FROM checkpoint").fetchone(), (0,))

    def test_generate_graph_sh(self):
        path = os.path.join(self.folder, "graph.yaml")
        with open(path, "w", encoding="utf-8") as file:
            generator = os.path.join(self.folder, "generate_graph.sh")
            subprocess.run([generator, "1000", "50"], stdout=file, check=True)
        outcome = self.run_file("graph.yaml")
        self.assertEqual(len(outcome.states), 1000)
        self.assertEqual(set(outcome.states.values()), {"succeeded"})
        # No task was dispatched before both it waits for had ended.
        finished, dispatched = {}, {}
        with closing(sqlite3.connect(os.path.join(outcome.store, "sluice.db"))) as db:
            for seq, index, kind in db.execute("SELECT seq, task_idx, type FROM event"):
                if kind == "task_finished":
                    finished[index] = seq
                elif kind == "task_dispatched":
                    dispatched[index] = seq
        self.assertEqual(len(dispatched), 1000)
        for index in range(50, 1000):
            first = (index // 50 - 1) * 50
            for upstream in (first + index % 50, first + (index + 1) % 50):
                self.assertLess(finished[upstream], dispatched[index], (upstream, index))

    def test_workflows_in_the_documents_are_valid(self):
        found = 0
        for document in ("README.md", "docs/workflow-format.md", "docs/groups-and-budgets.md",
                         "docs/capacity.md", "docs/gates.md", "docs/secrets.md"):
            with open(os.path.join(ROOT, document), encoding="utf-8") as file:
                blocks = re.findall(r"```yaml\n(.*?)```", file.read(), re.DOTALL)
            for block in blocks:
                if "tasks:" not in block:
                    continue
                found += 1
                path = os.path.join(self.folder, f"document-{found}.yaml")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(block)
                done = subprocess.run(
                    [SLUICE, "validate", path],
                    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S,
                    check=False,
                )
                self.assertEqual(done.returncode, 0, f"{document}:\n{block}{done.stdout}{done.stderr}")
        self.assertEqual(found, 22)

    def test_the_workflow_of_the_readme_runs(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            block = re.search(r"```yaml\n# greet.yaml\n(.*?)```", file.read(), re.DOTALL).group(1)
        with open(os.path.join(self.folder, "greet.yaml"), "w", encoding="utf-8") as file:
            file.write(block)
        outcome = self.run_file("greet.yaml", "-p", "name=Ada")
        self.assertEqual(outcome.log("greet"), "hello, Ada (3 letters)\n")
        self.assertEqual(outcome.states["bye"], "succeeded")

    def test_every_example_has_a_test(self):
        tests = [name for name in dir(self) if name.startswith("test_")]
        for name in sorted(os.listdir(EXAMPLES)):
            if not os.path.isfile(os.path.join(EXAMPLES, name)) or name.startswith("."):
                continue
            test = "test_" + name.replace(".", "_").replace("-", "_")
            self.assertIn(test, tests, f"examples/{name} has no {test}")


if __name__ == "__main__":
    SLUICE = os.path.join(os.path.abspath(sys.argv.pop(1)), "sluice")
    unittest.main()
