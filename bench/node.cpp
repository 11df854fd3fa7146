#include "bench/node.hpp"

#include "model/workflow.hpp"

namespace sluice::bench {

std::unique_ptr<runtime::orchestrator>
start_node(const std::filesystem::path& dir, std::uint32_t slots,
           std::shared_ptr<const executors::function_registry> functions,
           std::function<expected<void>(const std::filesystem::path&)> open_socket) {
  runtime::orchestrator_options options;
  options.store_dir = dir;
  options.slots = slots;
  options.command = "benchmark";
  options.guard_program =
    std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "sluice-guard";
  options.functions = std::move(functions);
  options.open_socket = std::move(open_socket);
  options.on_fatal = [](const error& e) { give_up(e.message); };
  return must(runtime::orchestrator::start(std::move(options)));
}

model::submission submission_of(std::shared_ptr<const model::workflow_spec> workflow,
                                const std::string& version) {
  model::submission what;
  what.workflow = std::move(workflow);
  what.content_hash = version;
  return what;
}

run_timer::run_timer(runtime::orchestrator& node)
  : node_(node), watch_(node.watch([this](std::span<const model::event> events) {
      for (const auto& event : events) {
        if (event.type != model::event_type::run_finished)
          continue;
        const std::lock_guard hold{mutex_};
        ended_[event.run_no] = model::parse_run_state(event.to).value_or(model::run_state::failed);
        changed_.notify_all(); // not for every event: we would measure our own waking up
      }
    })) {}

run_timer::timed_run run_timer::time(model::submission what) {
  timed_run result;
  const stopwatch since;
  result.run_no = must(node_.submit(std::move(what)));
  result.acknowledged = since.elapsed();
  std::unique_lock hold{mutex_};
  changed_.wait(hold, [&] { return ended_.contains(result.run_no); });
  result.ended = since.elapsed();
  if (ended_[result.run_no] != model::run_state::succeeded)
    give_up("the measured run did not succeed");
  return result;
}

} // namespace sluice::bench
