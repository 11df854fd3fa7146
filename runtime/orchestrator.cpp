#include "runtime/orchestrator.hpp"

#include "actors/host.hpp"
#include "executors/cgroup.hpp"
#include "executors/guard_process.hpp"
#include "executors/process_thread.hpp"
#include "executors/secrets.hpp"
#include "executors/thread_slice.hpp"
#include "runtime/attempt_tokens.hpp"
#include "runtime/clock.hpp"
#include "runtime/config_load.hpp"
#include "runtime/inventory.hpp"
#include "runtime/recovery.hpp"
#include "runtime/sha256.hpp"
#include "runtime/socket_path.hpp"
#include "runtime/zones.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>
#include <optional>
#include <thread>

namespace sluice::runtime {
namespace {

/// More slots than the machine has processors rarely help, and memory is the first to run out.
constexpr std::uint32_t most_default_slots = 4;

std::uint32_t slots_of(const orchestrator_options& options) {
  if (options.slots > 0)
    return options.slots;
  return std::clamp(std::thread::hardware_concurrency(), 1u, most_default_slots);
}

/// A run does not fail because its store lies too deep for a socket: its tasks go without.
std::filesystem::path socket_or_none(const storage::store_paths& paths) {
  auto path = socket_path(paths, user_runtime_dir());
  if (path)
    return std::move(*path);
  spdlog::warn("no socket for this node cause='{}'", path.error().message);
  return {};
}

tl::unexpected<error> holds_secret(const std::string& what, const std::string& name) {
  return fail(errc::invalid_argument,
              what + " holds the secret " + name + ", which must not be stored");
}

expected<void> check_all_resumable(const storage::store_paths& paths,
                                   const std::vector<model::run_no>& runs,
                                   const executors::function_registry& functions) {
  if (runs.empty())
    return {};
  const auto reader = storage::open_reader(paths);
  if (!reader)
    return tl::unexpected(reader.error());
  for (const auto run : runs)
    if (auto checked = check_resumable(**reader, run, functions); !checked)
      return checked;
  return {};
}

} // namespace

/// In order of construction: what is below uses what is above.
struct orchestrator::parts {
  std::shared_ptr<const attempt_tokens> tokens; ///< the process thread has them too
  storage::store_lock lock;
  std::shared_ptr<executors::cgroup_tree> groups; ///< null: none can be had here
  executors::guard_process guard;
  std::shared_ptr<storage::store> store;
  std::shared_ptr<executors::launcher> launcher;
  std::shared_ptr<const executors::function_registry> functions;
  std::unique_ptr<actors::host> host;
  std::shared_ptr<const executors::secrets_in_use> secrets; ///< the process thread tells it
  std::filesystem::path dir;
  bool stopped = false;
};

expected<std::unique_ptr<orchestrator>> orchestrator::start(orchestrator_options options) {
  const auto dir = std::filesystem::absolute(options.store_dir).lexically_normal();
  const storage::store_paths paths{dir};
  const auto socket = options.open_socket ? socket_or_none(paths) : std::filesystem::path{};
  auto lock = storage::store_lock::acquire(
    paths,
    {.pid = 0, .command = options.command, .resumed = options.resume, .socket = socket.string()});
  if (!lock)
    return tl::unexpected(lock.error());
  const auto drawn = attempt_tokens::draw();
  if (!drawn)
    return tl::unexpected(drawn.error());
  const auto tokens = std::make_shared<const attempt_tokens>(*drawn);

  const auto token = executors::new_instance_token();
  if (!token)
    return tl::unexpected(token.error());
  auto groups = executors::cgroup_tree::open(*token); // before the guard, which is a child
  executors::guard_options guarding;
  guarding.program = options.guard_program;
  guarding.lock_path = paths.guard_lock();
  guarding.token = *token;
  auto guard = executors::guard_process::start(guarding);
  if (!guard)
    return tl::unexpected(guard.error());

  auto store = storage::open_store(paths, {.sync = options.durability});
  if (!store)
    return tl::unexpected(store.error());
  auto functions = options.functions;
  if (functions == nullptr)
    functions = std::make_shared<const executors::function_registry>(
      executors::function_registry::with_builtins());
  if (auto checked = check_all_resumable(paths, options.resume, *functions); !checked)
    return tl::unexpected(checked.error());
  remove_left_work(paths.work());

  const auto most_slots =
    static_cast<std::uint32_t>(executors::allow_descriptors_for( // not more than asked for
      std::max(slots_of(options), options.most_slots)));
  const auto clock = system_clock();
  executors::process_options processes;
  processes.logs_dir = paths.logs();
  processes.work_dir = paths.work();
  processes.environment = inherited_environment();
  processes.instance_token = *token;
  processes.guard_fd = guard->descriptor();
  if (groups)
    processes.groups = std::move(*groups);
  else
    processes.no_groups_because = groups.error().message;
  if (!socket.empty()) {
    processes.socket = socket.string();
    processes.token_of = [tokens](model::attempt_key key) { return tokens->of(key); };
  }
  processes.slots = most_slots;
  processes.clock = clock;
  processes.variable_of = [all = whole_environment()](const std::string& name) {
    const auto at = all.find(name);
    return at == all.end() ? std::nullopt : std::optional{at->second};
  };
  const auto secrets = std::make_shared<executors::secrets_in_use>();
  processes.secrets = secrets;
  const auto held_groups = processes.groups;
  auto launcher = executors::process_thread::create(std::move(processes));
  if (!launcher)
    return tl::unexpected(launcher.error());

  auto p = std::unique_ptr<parts>{
    new parts{tokens, std::move(*lock), held_groups, std::move(*guard), std::move(*store),
              std::move(*launcher), std::move(functions), nullptr, secrets, dir}};
  actors::host_options host;
  host.scheduler.slots = std::min(slots_of(options), most_slots);
  host.scheduler.most_slots = most_slots;
  host.scheduler.dispatch_ahead = 4 * most_slots; // the process thread holds them back
  host.scheduler.capacity.resources = take_inventory(options.store_dir, options.resources);
  host.scheduler.capacity.placement = options.placement;
  host.digest = sha256;
  host.local_offset = local_offset;
  host.store = p->store;
  host.open_reader = [paths] { return storage::open_reader(paths); };
  host.launcher = p->launcher;
  host.functions = p->functions;
  host.clock = clock;
  host.resume = options.resume;
  host.on_fatal = options.on_fatal ? std::move(options.on_fatal) : [](const error&) {};
  if (!socket.empty())
    if (auto opened = options.open_socket(socket); !opened)
      return tl::unexpected(opened.error());
  executors::prefer_short_slices(executors::slice_heirs::threads); // of all actors
  auto started = actors::host::start(std::move(host));
  if (!started)
    return tl::unexpected(started.error());
  p->host = std::move(*started);
  return std::unique_ptr<orchestrator>{new orchestrator{std::move(p)}};
}

orchestrator::orchestrator(std::unique_ptr<parts> p) : parts_(std::move(p)) {}

orchestrator::~orchestrator() {
  stop();
}

void orchestrator::submit(model::submission what, completion done) {
  parts_->host->submit(std::move(what), std::move(done));
}

expected<model::run_no> orchestrator::submit(model::submission what) {
  std::promise<expected<model::run_no>> answered;
  auto answer = answered.get_future();
  submit(std::move(what),
         [&](expected<model::run_no> result) { answered.set_value(std::move(result)); });
  return answer.get(); // the host answers every request, with `timeout` at the latest
}

void orchestrator::cancel(model::run_no run, model::cancel_mode mode, std::string actor) {
  cancel(run, mode, std::move(actor), [](const expected<model::run_no>&) {});
}

void orchestrator::cancel(model::run_no run, model::cancel_mode mode, std::string actor,
                          completion done) {
  parts_->host->cancel(run, mode, std::move(actor), std::move(done));
}

void orchestrator::ask(model::run_no run, model::question what,
                       std::function<void(expected<model::value>)> done) {
  parts_->host->ask(run, std::move(what), std::move(done));
}

void orchestrator::control(model::run_no run, model::control what, std::string actor,
                           std::function<void(expected<model::control_result>)> done) {
  parts_->host->control(run, std::move(what), std::move(actor), std::move(done));
}

const std::filesystem::path& orchestrator::store_dir() const {
  return parts_->dir;
}

std::optional<model::attempt_key> orchestrator::attempt_of(std::string_view token) const {
  return parts_->tokens->verify(token);
}

void orchestrator::drain(model::drain_mode mode, std::function<void()> done) {
  parts_->host->drain(mode, std::move(done));
}

void orchestrator::save_checkpoint(model::attempt_key key, model::checkpoint what,
                                   std::function<void(expected<void>)> done) {
  for (const auto* text : {&what.token, &what.data})
    if (const auto name = parts_->secrets->find(key, *text))
      return done(holds_secret("the checkpoint", *name));
  parts_->host->save_checkpoint(key, std::move(what), std::move(done));
}

void orchestrator::read_checkpoint(model::task_key task,
                                   std::function<void(expected<model::checkpoint_ptr>)> done) {
  parts_->host->read_checkpoint(task, std::move(done));
}

void orchestrator::hear(model::sign_of_life what, std::function<void(expected<void>)> done) {
  if (!parts_->secrets->none()) {
    const auto told =
      model::to_text({what.progress ? what.progress->text : "", what.usage, what.outputs});
    if (const auto name = parts_->secrets->find(what.key, told))
      return done(holds_secret("what the task tells", *name));
  }
  parts_->host->hear(std::move(what), std::move(done));
}

subscription orchestrator::watch(event_callback on_events) {
  const auto id = parts_->host->watch(std::move(on_events));
  return subscription{[host = parts_->host.get(), id] { host->unwatch(id); }};
}

void orchestrator::stop() {
  if (std::exchange(parts_->stopped, true))
    return;
  parts_->host->stop();
  parts_->guard.goodbye();
}

bool has_builtin_handler(std::string_view name) {
  static const auto builtins = executors::function_registry::with_builtins();
  return builtins.find(std::string{name}) != nullptr;
}

} // namespace sluice::runtime
