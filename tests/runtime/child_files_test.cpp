// Files of workflows that start the workflows of other files.
#include "runtime/workflow_file.hpp"

#include <catch2/catch.hpp>

#include <fstream>

#include <stdlib.h>

using namespace sluice;
using namespace sluice::runtime;

namespace {

/// Some files in a directory of their own, removed at the end.
class some_files {
public:
  some_files() {
    auto name = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
  }
  some_files(const some_files&) = delete;
  some_files& operator=(const some_files&) = delete;
  ~some_files() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void write(const std::string& name, const std::string& text) {
    const auto file = directory_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file} << text;
  }
  auto load(const std::string& name) const {
    return load_workflow_file(directory_ / name, [](std::string_view) { return true; });
  }
  /// The problems as they are printed, without the name of the directory.
  std::vector<std::string> problems_of(const std::string& name) const {
    std::vector<std::string> found;
    if (const auto loaded = load(name); !loaded)
      for (const auto& problem : loaded.error()) {
        auto line = to_string((directory_ / name).string(), problem);
        for (auto at = line.find(directory_.string()); at != std::string::npos;
             at = line.find(directory_.string()))
          line.erase(at, directory_.string().size() + 1);
        found.push_back(line);
      }
    return found;
  }
  std::string directory() const { return directory_.string(); }

private:
  std::filesystem::path directory_;
};

using printed = std::vector<std::string>;

const std::string a_child = "params: {day: {type: date}, n: 1}\n"
                            "tasks:\n  x: {run: echo, out: {v: int}}\n"
                            "out: {v: \"${{ tasks.x.out.v }}\", n: 7}\n";

} // namespace

TEST_CASE("child_files: a task's workflow is read with its file", "[runtime][child_files]") {
  some_files files;
  files.write("sub/inner.yaml", a_child);
  files.write(
    "outer.yaml",
    "tasks:\n"
    "  c: {workflow: {file: sub/inner.yaml, params: {day: 2026-03-01, n: \"${{ 2 }}\"}}}\n"
    "  d: {workflow: {params: {day: \"${{ tasks.c.out.v }}\"}, file: ./sub/inner.yaml}}\n"
    "  z: {run: echo, in: {v: \"${{ tasks.c.out.v }}\"}}\n");
  const auto loaded = files.load("outer.yaml");
  for (const auto& line : files.problems_of("outer.yaml"))
    UNSCOPED_INFO(line);
  REQUIRE(loaded);
  const auto& tasks = loaded->workflow->tasks;
  const auto* child = child_of(tasks[0]);
  REQUIRE(child != nullptr);
  CHECK(child->spec->name == "inner");
  CHECK(child->spec->base_dir == files.directory() + "/sub");
  CHECK(*child->params == model::named_values{{"day", "2026-03-01"}, {"n", "${{ 2 }}"}});
  CHECK(child->spec->out == model::named_values{{"v", "${{ tasks.x.out.v }}"}, {"n", 7}});
  CHECK(child_of(tasks[1])->spec == child->spec); // read once
}

TEST_CASE("child_files: problems have the name of their file", "[runtime][child_files]") {
  some_files files;
  files.write("sub/inner.yaml", "tasks:\n  x: {rn: echo}\n  y: {workflow: ../third.yaml}\n");
  files.write("third.yaml", "tasks:\n  q: {run: x, after: [gone]}\n");
  files.write("outer.yaml", "tasks:\n  c: {workflow: sub/inner.yaml}\n  b: {run: x, after: [no]}\n"
                            "  z: {run: echo, in: {v: \"${{ tasks.c.out.v }}\"}}\n");
  CHECK(files.problems_of("outer.yaml")
        == printed{"outer.yaml:3:23: tasks.b.after[0]: no task 'no'",
                   "third.yaml:2:23: tasks.q.after[0]: no task 'gone'",
                   "sub/inner.yaml:2:7: tasks.x.rn: unknown key 'rn'; did you mean 'run'?"});
}

TEST_CASE("child_files: what is wrong about starting a workflow", "[runtime][child_files]") {
  some_files files;
  files.write("inner.yaml", a_child);
  const auto [task, want] = GENERATE(table<std::string, printed>({
    {"{workflow: none.yaml}",
     {"outer.yaml:2:17: tasks.c.workflow: 'none.yaml': cannot read the file: No such file or "
      "directory"}},
    {"{workflow: inner.yaml}",
     {"outer.yaml:2:17: tasks.c.workflow: parameter 'day' is missing: it has no default"}},
    {"{workflow: {file: inner.yaml, params: {day: today}}}",
     {"outer.yaml:2:50: tasks.c.workflow.params.day: parameter 'day': \"today\" is not of type "
      "date"}},
    {"{workflow: {file: inner.yaml, params: {day: 2026-03-01, m: 1}}}",
     {"outer.yaml:2:62: tasks.c.workflow.params.m: workflow 'inner' has no parameter 'm'; did you "
      "mean 'n'?"}},
    {"{workflow: {file: inner.yaml, parms: {}}}",
     {"outer.yaml:2:36: tasks.c.workflow.parms: unknown key 'parms'; did you mean 'params'?"}},
    {"{workflow: {name: inner}}",
     {"outer.yaml:2:18: tasks.c.workflow.name: 'name' is not in this version"}},
    {"{workflow: {params: {day: 2026-03-01}}}",
     {"outer.yaml:2:17: tasks.c.workflow: needs the file of a workflow, such as {file: "
      "child.yaml}"}},
    {"{workflow: {file: inner.yaml, params: {day: 2026-03-01}}, run: x}",
     {"outer.yaml:2:3: tasks.c: has more than one action; run, exec, call, workflow, gate and wait "
      "exclude each other"}},
    {"{workflow: {file: inner.yaml, params: {day: 2026-03-01}}, in: {a: 1}}",
     {"outer.yaml:2:64: tasks.c.in: a workflow gets no inputs but its 'params'"}},
  }));
  CAPTURE(task);
  files.write("outer.yaml", "tasks:\n  c: " + task + "\n");
  CHECK(files.problems_of("outer.yaml") == want);
}

TEST_CASE("child_files: a file that starts itself shows the way round", "[runtime][child_files]") {
  some_files files;
  files.write("a.yaml", "tasks:\n  c: {workflow: sub/b.yaml}\n");
  files.write("sub/b.yaml", "tasks:\n  c: {workflow: ../sub/../a.yaml}\n");
  CHECK(
    files.problems_of("a.yaml")
    == printed{"sub/b.yaml:2:17: tasks.c.workflow: the file starts itself: a.yaml -> sub/b.yaml "
               "-> a.yaml"});
  files.write("self.yaml", "tasks:\n  c: {workflow: self.yaml}\n");
  CHECK(files.problems_of("self.yaml")
        == printed{"self.yaml:2:17: tasks.c.workflow: the file starts itself: self.yaml -> "
                   "self.yaml"});
}

TEST_CASE("child_files: files are nested 8 levels deep", "[runtime][child_files]") {
  some_files files;
  files.write("f0.yaml", "tasks: {x: echo}\n");
  for (int level = 1; level <= 9; ++level)
    files.write("f" + std::to_string(level) + ".yaml",
                "tasks:\n  c: {workflow: f" + std::to_string(level - 1) + ".yaml}\n");
  CHECK(files.load("f8.yaml"));
  CHECK(files.problems_of("f9.yaml")
        == printed{"f1.yaml:2:17: tasks.c.workflow: workflows are nested more than 8 levels deep"});
}
