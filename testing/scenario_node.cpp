#include "testing/scenario_node.hpp"

#include "actors/process_executor.hpp"
#include "model/params.hpp"
#include "storage/open.hpp"
#include "testing/capacity_checks.hpp"
#include "testing/tree.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <vector>

namespace sluice::testing {
namespace {

/// As far as HOST has heard.
bool is_alive(const actors::host_state& host, const caf::actor& handle) {
  return handle && host.children.contains(handle->id());
}

} // namespace

/// Lets the scenario look before each start.
class scenario_node::checked_launcher final : public executors::launcher {
public:
  checked_launcher(start_check on_start, go_on_check on_go_on)
    : on_start_(std::move(on_start)), on_go_on_(std::move(on_go_on)) {}

  void start(std::shared_ptr<const model::start_attempt> attempt,
             std::shared_ptr<const executors::launch_listener> listener) override {
    if (is_dead)
      return;
    on_start_(*attempt, script.keys());
    script.start(std::move(attempt), std::move(listener));
  }
  void go_on(model::attempt_key key) override {
    if (is_dead)
      return;
    on_go_on_(key);
    script.go_on(key);
  }
  void put_out(model::attempt_key key, model::value outputs) override {
    script.put_out(key, std::move(outputs));
  }
  void signal(model::attempt_key key, executors::stop_signal what) override {
    script.signal(key, what);
  }
  void forget(model::attempt_key key) override { script.forget(key); }
  void abandon_all(std::function<void()> on_gone) override {
    script.abandon_all(std::move(on_gone));
  }

  scripted_launcher script;
  bool is_dead = false;

private:
  start_check on_start_;
  go_on_check on_go_on_;
};

scenario_node::scenario_node(const scenario_node_options& options, start_check on_start,
                             go_on_check on_go_on, actors::event_callback on_events)
  : wall_offset_(options.wall_offset),
    store_(std::make_shared<faulty_store>(storage::open_store_in_memory(options.store_name))),
    launcher_(std::make_shared<checked_launcher>(std::move(on_start), std::move(on_go_on))) {
  actors::host_options host;
  host.scheduler.slots = options.slots;
  host.scheduler.dispatch_ahead = options.dispatch_ahead;
  host.scheduler.breaker = options.breaker;
  host.scheduler.capacity.resources = capacity_checks::of_node();
  host.store = store_;
  host.open_reader = [name = options.store_name] { return storage::open_reader_in_memory(name); };
  host.launcher = launcher_;
  host.functions = std::make_shared<const executors::function_registry>(
    executors::function_registry::with_builtins());
  host.clock = {.wall = [this] { return wall(); }, .steady = clock().steady};
  host.on_fatal = [this](error e) { fatal_ = std::move(e); };
  host.resume = options.resume;
  auto position = actors::read_position(host).value();
  host_ = spawn(actors::host_behavior, std::move(host), std::move(position),
                actors::spawning::cooperative);
  run();
  self->send(host_, actors::host_watch{1, [launcher = launcher_, on_events](const auto& events) {
                                         if (!launcher->is_dead)
                                           on_events(events);
                                       }});
  run();
}

scenario_node::~scenario_node() {
  launcher_->is_dead = true; // what its actors do from here on, a dead process would not have done
  caf::anon_send_exit(host_, caf::exit_reason::user_shutdown);
  run();
}

scripted_launcher& scenario_node::launcher() {
  return launcher_->script;
}

void scenario_node::submit(std::shared_ptr<const model::workflow_spec> workflow,
                           std::string content_hash, actors::completion done) {
  auto what = std::make_shared<model::submission>();
  what->content_hash = std::move(content_hash);
  what->params = *model::complete_params(*workflow, model::value::object());
  what->workflow = std::move(workflow);
  self->send(host_, actors::host_submit{std::move(what), std::move(done)});
}

void scenario_node::cancel(model::run_no run, model::cancel_mode mode) {
  self->send(host_, actors::host_cancel{{run, mode, "operator"}, [](const auto&) {}});
}

void scenario_node::control(model::run_no run, model::control what,
                            std::function<void(expected<model::control_result>)> done) {
  self->send(host_, actors::host_control{{run, std::move(what), "operator"},
                                         [launcher = launcher_, done = std::move(done)](
                                           const expected<model::control_result>& answer) {
                                           if (!launcher->is_dead)
                                             done(answer);
                                         }});
}

void scenario_node::save_checkpoint(model::attempt_key key, model::checkpoint what,
                                    std::function<void(expected<void>)> done) {
  self->send(host_, actors::host_save_checkpoint{
                      {key, std::make_shared<const model::checkpoint>(std::move(what))},
                      [launcher = launcher_, done = std::move(done)](const expected<void>& answer) {
                        if (!launcher->is_dead)
                          done(answer);
                      }});
}

void scenario_node::use(model::attempt_key key, model::value usage) {
  self->send(
    host_, actors::host_sign{{.key = key, .progress = {}, .usage = std::move(usage), .outputs = {}},
                             [](const expected<void>&) {}});
}

bool scenario_node::crash(actors::child which) {
  const auto victim = child_of(host_, which);
  if (!is_alive(state_of<actors::host_state>(host_), victim))
    return false;
  caf::anon_send_exit(victim, caf::exit_reason::kill);
  return true;
}

bool scenario_node::crash_worker(std::size_t which) {
  const auto& host = state_of<actors::host_state>(host_);
  if (!is_alive(host, child_of(host_, actors::child::process_executor)))
    return false;
  const auto& attempts = state_of<actors::process_executor_state>(host.processes).attempts;
  if (attempts.empty())
    return false;
  std::vector<model::attempt_key> keys; // in an order that does not depend on the hash table
  for (const auto& [key, attempt] : attempts)
    keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  caf::anon_send_exit(attempts.at(keys[which % keys.size()]).worker, caf::exit_reason::kill);
  return true;
}

} // namespace sluice::testing
