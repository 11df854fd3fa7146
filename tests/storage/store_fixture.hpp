// What the tests of the store share: the two backends, and short ways to write records.
#pragma once

#include "storage/open.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>

#include <stdlib.h>
#include <unistd.h>

namespace sluice::storage {

using model::task_state;

class temporary_directory {
public:
  temporary_directory() {
    auto name = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

template <class T>
T must(expected<T> got) {
  if (!got)
    FAIL(to_string(got.error().code) << ": " << got.error().message);
  return std::move(*got);
}

inline std::string read_text(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A store in a directory of its own, and a reader of it.
struct on_disk {
  temporary_directory temporary;
  store_paths paths{temporary.path() / "store"};
  std::unique_ptr<storage::store> store = must(open_store(paths));
  std::unique_ptr<storage::reader> reader = must(open_reader(paths));
};

struct in_memory {
  std::string name = next_name();
  std::unique_ptr<storage::store> store = must(open_store_in_memory(name));
  std::unique_ptr<storage::reader> reader = must(open_reader_in_memory(name));

  static std::string next_name() {
    static std::atomic<int> count{0};
    return "test store " + std::to_string(++count);
  }
};

/// Seconds after some moment.
inline model::wall_time at(int second) {
  return model::from_us(1'770'000'000'000'000) + model::seconds{second};
}

inline std::shared_ptr<model::workflow_spec> workflow_of(std::initializer_list<const char*> tasks,
                                                         std::string name = "etl") {
  auto workflow = std::make_shared<model::workflow_spec>();
  workflow->name = std::move(name);
  for (const auto* task : tasks) {
    model::task_spec spec;
    spec.name = task;
    spec.action = model::run_action{"echo " + std::string{task}};
    workflow->tasks.push_back(std::move(spec));
  }
  return workflow;
}

inline model::submission request_for(std::shared_ptr<model::workflow_spec> workflow,
                                     std::string hash = "hash-1") {
  model::submission request;
  request.workflow = std::move(workflow);
  request.content_hash = std::move(hash);
  request.source = "tasks: ...";
  return request;
}

inline model::run_created created(std::int64_t run, model::submission request) {
  return {{run}, std::make_shared<const model::submission>(std::move(request)), at(0)};
}

inline model::run_created created(std::int64_t run, std::shared_ptr<model::workflow_spec> workflow,
                                  std::string hash = "hash-1") {
  return created(run, request_for(std::move(workflow), std::move(hash)));
}

inline model::attempt_dispatched dispatched(std::int64_t run, std::uint32_t task,
                                            std::uint32_t attempt = 1, int second = 1) {
  return {{{run}, task, attempt}, model::executor_kind::process, "", at(second)};
}

inline model::attempt_ended ended(std::int64_t run, std::uint32_t task, std::uint32_t attempt = 1,
                                  task_state state = task_state::succeeded) {
  model::attempt_outcome outcome;
  outcome.key = {{run}, task, attempt};
  outcome.state = state;
  outcome.started_at = at(2);
  outcome.finished_at = at(3);
  if (state == task_state::failed || state == task_state::retry_wait)
    outcome.failure = model::failure{model::failure_class::exit, "3", "exited with 3"};
  if (state == task_state::ready) {
    outcome.failure = model::failure{model::failure_class::lost, "", "its executor died"};
    outcome.losses = 1;
  }
  return {outcome};
}

inline model::task_moved moved(std::int64_t run, std::uint32_t task, task_state to,
                               std::string reason = "upstream", std::uint32_t attempt = 0) {
  model::task_moved r;
  r.key = {{run}, task};
  r.attempt = attempt;
  r.from = attempt == 0 ? task_state::pending : task_state::running;
  r.to = to;
  r.reason = std::move(reason);
  r.actor = "scheduler";
  r.at = at(4);
  return r;
}

inline model::run_moved run_moved(std::int64_t run, model::run_state from, model::run_state to) {
  return {{run}, from, to, false, "", "scheduler", at(5)};
}

inline step_ptr step_of(std::uint64_t number, std::vector<model::record> records,
                        std::vector<model::run_counts> counts = {},
                        model::timer_changes timers = {}) {
  return std::make_shared<model::step>(
    model::step{number, std::move(records), std::move(counts), std::move(timers)});
}

/// Commits one step after the last one, of incarnation 1.
inline std::int64_t commit(store& to, std::vector<model::record> records,
                           std::vector<model::run_counts> counts = {},
                           model::timer_changes timers = {}) {
  const auto number = must(to.last_commit()).step + 1;
  const std::vector<step_ptr> steps{
    step_of(number, std::move(records), std::move(counts), std::move(timers))};
  return must(to.commit(1, steps));
}

inline task_row task_at(reader& from, std::int64_t run, std::uint32_t task) {
  const auto rows = must(from.tasks({.run_no = {run}, .from_idx = task, .limit = 1}));
  REQUIRE(rows.size() == 1);
  return rows.front();
}

} // namespace sluice::storage
