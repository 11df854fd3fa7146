#!/usr/bin/env python3
"""Tests of check_layers: plants files in a temporary tree and looks at what is found."""

import contextlib
import io
import os
import re
import tempfile
import unittest

import check_layers


class TreeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def plant(self, path, *lines):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def found(self, path, *lines):
        """What is found in one file with these lines, as (line, rule)."""
        return [(v.line, v.rule) for v in check_layers.check_file(path, "\n".join(lines))]

    def assert_clean(self, path, *lines):
        self.assertEqual(self.found(path, *lines), [])

    def assert_broken(self, path, line, part):
        """`line`, second of the file, breaks the one rule that mentions `part`."""
        found = self.found(path, "#pragma once", line)
        self.assertEqual([number for number, _ in found], [2], (path, line, found))
        self.assertIn(part, found[0][1])


class IncludeTest(TreeTest):
    def test_arrows_of_the_table(self):
        forbidden = [
            ("model/a.hpp", "logic/dag.hpp"),
            ("logic/a.cpp", "storage/store.hpp"),
            ("logic/a.cpp", "actors/messages.hpp"),
            ("storage/a.cpp", "logic/dag.hpp"),
            ("executors/a.cpp", "storage/store.hpp"),
            ("executors/a.cpp", "logic/dag.hpp"),
            ("actors/a.cpp", "runtime/clock.hpp"),
            ("actors/a.cpp", "storage/sqlite/guarded.hpp"),
            ("actors/a.cpp", "executors/http/client.hpp"),
            ("runtime/a.cpp", "actors/messages.hpp"),
            ("runtime/a.cpp", "actors/scheduler.hpp"),
            ("runtime/a.cpp", "cli/table.hpp"),
            ("runtime/a.cpp", "testing/actor_world.hpp"),
            ("api/a.cpp", "logic/dag.hpp"),
            ("cli/a.cpp", "storage/store.hpp"),
            ("cli/commands/run.cpp", "actors/host.hpp"),
            ("testing/a.cpp", "cli/table.hpp"),
            ("testing/a.cpp", "api/server.hpp"),
        ]
        for path, header in forbidden:
            with self.subTest(path=path, header=header):
                self.assert_broken(path, f'#include "{header}"', header)

    def test_allowed_arrows(self):
        for path, header in [
            ("model/a.cpp", "model/error.hpp"),
            ("logic/a.cpp", "model/error.hpp"),
            ("storage/sqlite/a.cpp", "storage/store.hpp"),
            ("executors/a.cpp", "model/run.hpp"),
            ("actors/a.cpp", "logic/dag.hpp"),
            ("actors/a.cpp", "storage/store.hpp"),
            ("actors/a.cpp", "executors/launcher.hpp"),
            ("runtime/a.cpp", "actors/host.hpp"),
            ("runtime/a.cpp", "actors/options.hpp"),
            ("runtime/a.cpp", "storage/open.hpp"),
            ("cli/commands/run.cpp", "runtime/orchestrator.hpp"),
            ("testing/a.cpp", "actors/messages.hpp"),
            ("tests/logic/a.cpp", "testing/actor_world.hpp"),
            ("tests/cli/a.cpp", "cli/table.hpp"),
            ("bench/a.cpp", "storage/sqlite/guarded.hpp"),
        ]:
            with self.subTest(path=path, header=header):
                self.assert_clean(path, f'#include "{header}"')

    def test_nothing_includes_tests_or_bench(self):
        self.assert_broken("testing/a.hpp", '#include "tests/x.hpp"', "nothing includes tests")
        self.assert_broken("bench/a.cpp", '#include "tests/x.hpp"', "nothing includes tests")
        self.assert_broken("tests/a.cpp", '#include "bench/x.hpp"', "nothing includes bench")
        self.assert_clean("tests/logic/a.cpp", '#include "tests/logic/samples.hpp"')

    def test_includes_are_written_from_the_root(self):
        self.assert_broken("model/a.cpp", '#include "error.hpp"', "from the root")
        self.assert_broken("model/a.cpp", '#include "../logic/dag.hpp"', "from the root")
        self.assert_broken("model/a.cpp", '#include "migrations.inc"', "from the root")
        self.assert_clean("storage/migrate.cpp", '#include "migrations.inc"')

    def test_a_directory_outside_the_table(self):
        self.assertIn("table", self.found("helpers/a.cpp", "int x;")[0][1])
        self.assertIn("table", self.found("a.cpp", "int x;")[0][1])


class LibraryTest(TreeTest):
    def test_each_library_where_it_does_not_belong(self):
        for path, header, library in [
            ("logic/a.cpp", "caf/all.hpp", "CAF"),
            ("runtime/a.cpp", "caf/actor_system.hpp", "CAF"),
            ("cli/a.cpp", "caf/all.hpp", "CAF"),
            ("actors/host.hpp", "caf/actor.hpp", "CAF"),
            ("actors/options.hpp", "caf/actor.hpp", "CAF"),
            ("model/a.cpp", "unistd.h", "posix"),
            ("logic/a.cpp", "sys/stat.h", "posix"),
            ("cli/a.cpp", "spdlog/spdlog.h", "spdlog"),
            ("cli/a.cpp", "fmt/format.h", "spdlog"),
            ("testing/a.cpp", "spdlog/spdlog.h", "spdlog"),
            ("storage/open.cpp", "SQLiteCpp/SQLiteCpp.h", "SQLiteCpp"),
            ("storage/open.cpp", "sqlite3.h", "SQLiteCpp"),
            ("runtime/a.cpp", "SQLiteCpp/Database.h", "SQLiteCpp"),
            ("runtime/workflow_file.cpp", "yaml-cpp/eventhandler.h", "yaml-cpp"),
            ("cli/a.cpp", "yaml-cpp/yaml.h", "yaml-cpp"),
            ("storage/a.cpp", "nlohmann/json.hpp", "nlohmann"),
            ("actors/a.cpp", "nlohmann/json.hpp", "nlohmann"),
            ("runtime/a.cpp", "CLI/CLI.hpp", "CLI11"),
            ("model/a.cpp", "catch2/catch.hpp", "Catch2"),
            ("testing/a.cpp", "catch2/catch.hpp", "Catch2"),
            ("executors/a.cpp", "sodium.h", "libsodium"),
            ("executors/a.cpp", "curl/curl.h", "libcurl"),
            ("executors/a.cpp", "openssl/ssl.h", "OpenSSL"),
            ("api/handlers.cpp", "boost/beast.hpp", "Boost"),
            ("runtime/recovery.cpp", "date/tz.h", "date"),
            ("runtime/a.cpp", "prometheus/registry.h", "prometheus-cpp"),
            ("storage/a.cpp", "libpq-fe.h", "libpq"),
        ]:
            with self.subTest(path=path, header=header):
                self.assert_broken(path, f"#include <{header}>", library)

    def test_unknown_library(self):
        self.assert_broken("runtime/a.cpp", "#include <absl/strings/str_cat.h>", "no known library")

    def test_each_library_where_it_belongs(self):
        for path, header in [
            ("model/a.cpp", "nlohmann/json.hpp"),
            ("model/a.cpp", "tl/expected.hpp"),
            ("logic/a.cpp", "vector"),
            ("storage/sqlite/a.cpp", "SQLiteCpp/SQLiteCpp.h"),
            ("storage/open.cpp", "sys/file.h"),
            ("executors/a.cpp", "unistd.h"),
            ("executors/http/a.cpp", "curl/curl.h"),
            ("actors/scheduler.hpp", "caf/all.hpp"),
            ("actors/host.cpp", "caf/all.hpp"),
            ("testing/actor_world.hpp", "caf/all.hpp"),
            ("runtime/yaml_document.cpp", "yaml-cpp/eventhandler.h"),
            ("runtime/a.cpp", "sodium.h"),
            ("api/server.cpp", "boost/beast.hpp"),
            ("cli/main.cpp", "CLI/CLI.hpp"),
            ("tests/logic/a.cpp", "catch2/catch.hpp"),
            ("bench/a.cpp", "spdlog/spdlog.h"),
        ]:
            with self.subTest(path=path, header=header):
                self.assert_clean(path, f"#include <{header}>")


class BanTest(TreeTest):
    # One or more lines that break each ban, by the index of the ban.
    BROKEN = [
        [
            ("model/a.cpp", "using clock = std::chrono::system_clock;"),
            ("logic/a.cpp", "::clock_gettime(CLOCK_REALTIME, &now);"),
            ("logic/a.cpp", "auto now = std::time(nullptr);"),
        ],
        [
            ("logic/a.cpp", "std::mt19937_64 engine;"),
            ("logic/a.cpp", "std::random_device device;"),
            ("model/a.cpp", "int x = rand();"),
            ("model/a.cpp", "#include <random>"),
        ],
        [("logic/a.cpp", 'spdlog::info("x");')],
        [("logic/a.cpp", "std::thread worker;"), ("model/a.cpp", "std::jthread worker;")],
        [
            ("logic/a.cpp", "std::ifstream in;"),
            ("model/a.cpp", 'auto* f = std::fopen("x", "r");'),
            ("model/a.cpp", 'int fd = ::open("x", 0);'),
            ("logic/a.cpp", "int s = ::socket(1, 2, 3);"),
            ("logic/a.cpp", "std::filesystem::path p;"),
        ],
        [
            ("runtime/orchestrator.cpp", "auto now = std::chrono::steady_clock::now();"),
            ("cli/a.cpp", "auto now = std::chrono::system_clock::now();"),
        ],
        [
            ("runtime/orchestrator.cpp", 'std::getenv("HOME");'),
            ("executors/a.cpp", "extern char** environ;"),
        ],
        [
            ("runtime/a.cpp", "if (fork() == 0)"),
            ("actors/a.cpp", "::kill(pid, 9);"),
            ("cli/a.cpp", 'execvp("sh", argv);'),
            ("runtime/a.cpp", "::waitpid(pid, &status, 0);"),
            ("testing/a.cpp", "posix_spawnp(&pid, 0, 0, 0, 0, 0);"),
            ("cli/a.cpp", 'std::system("ls");'),
        ],
        [("runtime/a.cpp", 'auto sql = R"sql(SELECT 1)sql";')],
        [
            ("actors/scheduler.cpp", "spawn<caf::detached>(x);"),
            ("testing/a.cpp", "system.spawn<detached>(x);"),
        ],
        [
            ("runtime/a.cpp", "std::this_thread::sleep_for(1s);"),
            ("tests/logic/a_test.cpp", "std::this_thread::sleep_for(1s);"),
            ("bench/a.cpp", "usleep(5);"),
            ("executors/guard.cpp", "nanosleep(&t, nullptr);"),
        ],
    ]

    def test_each_ban(self):
        self.assertEqual(len(self.BROKEN), len(check_layers.BANS))
        for ban, lines in zip(check_layers.BANS, self.BROKEN):
            for path, line in lines:
                with self.subTest(rule=ban.rule, line=line):
                    rules = {rule for _, rule in self.found(path, line)}
                    self.assertIn(ban.rule, rules)

    def test_the_one_place_that_may(self):
        for path, line in [
            ("runtime/clock.hpp", "auto now = std::chrono::steady_clock::now();"),
            ("runtime/config_load.cpp", 'std::getenv("HOME");'),
            ("executors/process_thread.cpp", "::kill(-pgid, SIGKILL);"),
            ("executors/process_thread.cpp", "::posix_spawn(&pid, 0, 0, 0, 0, 0);"),
            ("storage/sqlite/runs.cpp", 'auto sql = R"sql(SELECT 1)sql";'),
            ("actors/host.cpp", "system.spawn<caf::detached>(x);"),
        ]:
            with self.subTest(line=line):
                self.assert_clean(path, line)

    def test_tests_and_bench_are_exempt_from_the_other_bans(self):
        for line in [
            "auto now = std::chrono::steady_clock::now();",
            'std::getenv("HOME");',
            "::kill(pid, 9);",
            'auto sql = R"sql(SELECT 1)sql";',
            "spawn<caf::detached>(x);",
        ]:
            with self.subTest(line=line):
                self.assert_clean("tests/actors/a_test.cpp", line)
                self.assert_clean("bench/a.cpp", line)

    def test_what_only_looks_like_it(self):
        for path, line in [
            ("logic/a.cpp", "auto x = file.open(1);"),
            ("model/a.cpp", "bool open(value&& v);"),
            ("actors/a.cpp", "worker.kill(9);"),
            ("actors/a.cpp", "launcher->kill(9);"),
            ("actors/a.cpp", "statement.exec();"),
            ("actors/a.cpp", "auto& system = self->system();"),
            ("runtime/a.cpp", "auto forked = forklift(1);"),
            ("logic/a.cpp", "const auto runtime = runtime_of(x);"),
            ("cli/a.cpp", "std::string environment;"),
        ]:
            with self.subTest(line=line):
                self.assert_clean(path, line)


class TextTest(TreeTest):
    def test_comments_and_strings_do_not_count(self):
        self.assert_clean(
            "logic/a.cpp",
            "// std::thread, getenv(x), sleep_for",
            "/* steady_clock::now()",
            '   #include "actors/host.hpp"',
            "   ::kill(1, 2) */",
            'auto text = "std::thread and \\" getenv(x)";',
            'auto raw = R"x(sleep_for',
            '#include "cli/main.hpp"',
            ')x";',
            "// a comment goes on \\",
            "   std::thread t;",
        )

    def test_code_after_them_counts_on_its_own_line(self):
        found = self.found(
            "logic/a.cpp",
            "/* one",
            "two */ int million = 1'000'000; char quote = '\"';",
            'auto raw = R"(a "',
            '")"; spdlog::info("x");',
            '#include "cli/table.hpp" // "model/error.hpp"',
        )
        self.assertEqual(sorted(line for line, _ in found), [4, 5])

    def test_sql_in_a_string_or_comment_is_none(self):
        self.assert_clean("runtime/a.cpp", '// R"sql(SELECT 1)sql"')


class TreeWalkTest(TreeTest):
    def run_main(self):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            with contextlib.redirect_stderr(io.StringIO()):
                code = check_layers.main([self.root])
        return code, out.getvalue()

    def test_a_clean_tree(self):
        self.plant("model/a.hpp", "#pragma once", "#include <string>")
        self.plant("build/x/generated.cpp", '#include "whatever.h"')
        self.plant(".cache/x.cpp", '#include "whatever.h"')
        self.assertEqual(self.run_main(), (0, ""))

    def test_violations_are_printed_with_file_and_line(self):
        self.plant("model/a.hpp", "#pragma once", "#include <string>", '#include "logic/dag.hpp"')
        self.plant("storage/sqlite/b.cpp", "#include <caf/all.hpp>")
        code, out = self.run_main()
        self.assertEqual(code, 1)
        self.assertEqual(
            [re.match(r"[^ ]+:\d+: ", line).group(0) for line in out.splitlines()],
            ["model/a.hpp:3: ", "storage/sqlite/b.cpp:1: "],
        )

    def test_an_empty_tree_is_an_error(self):
        self.assertEqual(self.run_main()[0], 2)


if __name__ == "__main__":
    unittest.main()
