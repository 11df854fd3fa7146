// The whole tree of actors on one thread in virtual time, over SQLite in memory, with scripted
// processes. A test submits a workflow, plays the processes, and looks at the store.
#pragma once

#include "actors/host_actor.hpp"
#include "storage/open.hpp"
#include "testing/actor_world.hpp"
#include "testing/faulty_store.hpp"
#include "testing/scripted_launcher.hpp"
#include "testing/tree.hpp"

#include <caf/all.hpp>
#include <catch2/catch.hpp>

#include <atomic>

namespace sluice {

inline std::string unique_store_name() {
  static std::atomic<int> count{0};
  return "actors_" + std::to_string(++count);
}

inline model::task_spec task(std::string name, std::vector<std::string> after = {}) {
  model::task_spec t;
  t.name = std::move(name);
  t.action = model::exec_action{{"/bin/true"}};
  t.after = std::move(after);
  return t;
}

inline model::task_spec call(std::string name, std::string handler, model::named_values in = {}) {
  model::task_spec t;
  t.name = std::move(name);
  t.action = model::call_action{std::move(handler)};
  t.in = std::move(in);
  return t;
}

class runtime_world : public testing::actor_world {
public:
  ~runtime_world() {
    caf::anon_send_exit(host, caf::exit_reason::user_shutdown);
    run();
  }

  void start(std::uint32_t slots = 4) {
    actors::host_options options;
    options.scheduler.slots = slots;
    options.store = store;
    options.open_reader = [name = name] { return storage::open_reader_in_memory(name); };
    options.launcher = launcher;
    options.functions = functions;
    options.clock = clock();
    options.on_fatal = [this](error e) { fatal = std::move(e); };
    host = spawn(actors::host_behavior, options, actors::read_position(options).value(),
                 actors::spawning::cooperative);
    run();
  }

  model::run_no submit(std::vector<model::task_spec> tasks,
                       model::on_failure on_failure = model::on_failure::stop) {
    auto spec = std::make_shared<model::workflow_spec>();
    spec->name = "test";
    spec->base_dir = "/";
    spec->tasks = std::move(tasks);
    spec->on_failure = on_failure;
    model::submission what;
    what.workflow = spec;
    what.content_hash = "hash-" + std::to_string(++hashes_);
    auto answer = std::make_shared<expected<model::run_no>>(fail(errc::timeout, "no answer yet"));
    self->send(host, actors::host_submit{std::make_shared<const model::submission>(what),
                                         [answer](expected<model::run_no> r) { *answer = r; }});
    run();
    last_answer = answer;
    return answer->value_or(model::run_no{});
  }

  void cancel(model::run_no run_no, model::cancel_mode mode = model::cancel_mode::graceful) {
    self->send(host, actors::host_cancel{{run_no, mode, "operator"}, [](const auto&) {}});
    run();
  }

  /// Plays a process from its confirmed start to its end.
  void finish(const std::string& name, std::optional<model::failure> failure = std::nullopt,
              model::value outputs = {}) {
    const auto key = launcher->key_of(name);
    REQUIRE(key.attempt != 0);
    launcher->confirm(key, clock().wall());
    launcher->end(key, clock().wall(), std::move(failure), std::move(outputs));
    run();
  }

  caf::actor child(actors::child which) { return testing::child_of(host, which); }
  void crash(actors::child which) {
    caf::anon_send_exit(child(which), caf::exit_reason::kill);
    run();
  }

  storage::reader& reader() {
    if (reader_ == nullptr)
      reader_ = std::move(*storage::open_reader_in_memory(name));
    return *reader_;
  }
  model::run_state run_state(model::run_no run_no) { return reader().run(run_no)->state; }
  model::task_state task_state(model::run_no run_no, const std::string& task) {
    return reader().task(run_no, task)->state;
  }
  std::vector<model::event> stored_events() {
    return *reader().events({.after_seq = 0, .run_no = std::nullopt, .limit = 100000});
  }

  std::string name = unique_store_name();
  std::shared_ptr<testing::faulty_store> store =
    std::make_shared<testing::faulty_store>(storage::open_store_in_memory(name));
  std::shared_ptr<testing::scripted_launcher> launcher =
    std::make_shared<testing::scripted_launcher>();
  std::shared_ptr<executors::function_registry> functions =
    std::make_shared<executors::function_registry>(executors::function_registry::with_builtins());
  actors::host_actor host;
  std::optional<error> fatal;
  std::shared_ptr<expected<model::run_no>> last_answer;

private:
  std::unique_ptr<storage::reader> reader_;
  int hashes_ = 0;
};

} // namespace sluice
