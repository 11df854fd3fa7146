// The class of host.hpp: an actor system with HOST in it, and plain calls from outside.
#include "actors/caf_error.hpp"
#include "actors/host.hpp"
#include "actors/host_actor.hpp"

#include <caf/all.hpp>

#include <atomic>
#include <future>

namespace sluice::actors {

struct host::implementation {
  explicit implementation(const host_options& options)
    : config(options.scheduler_threads), system(config), launcher(options.launcher) {}

  system_config config;
  caf::actor_system system;
  std::shared_ptr<executors::launcher> launcher;
  host_actor root;
  std::atomic<std::uint64_t> last_watch{0};
};

expected<store_position> read_position(const host_options& options) {
  const auto mark = options.store->last_commit();
  if (!mark)
    return tl::unexpected(mark.error());
  const auto last_seq = options.store->last_seq();
  if (!last_seq)
    return tl::unexpected(last_seq.error());
  const auto reader = options.open_reader();
  if (!reader)
    return tl::unexpected(reader.error());
  auto runs = read_live_runs(**reader, {*last_seq, options.resume}, options.clock.wall());
  if (!runs)
    return tl::unexpected(runs.error());
  return store_position{mark->incarnation + 1, *last_seq, std::move(*runs)};
}

expected<std::unique_ptr<host>> host::start(host_options options) {
  auto position = read_position(options);
  if (!position)
    return tl::unexpected(position.error());
  auto impl = std::make_unique<implementation>(options);
  impl->root =
    impl->system.spawn(host_behavior, std::move(options), std::move(*position), spawning::detached);
  return std::unique_ptr<host>{new host{std::move(impl)}};
}

host::host(std::unique_ptr<implementation> impl) : impl_(std::move(impl)) {}

host::~host() {
  stop();
}

void host::submit(model::submission what, completion done) {
  caf::anon_send(
    impl_->root,
    host_submit{std::make_shared<const model::submission>(std::move(what)), std::move(done)});
}

void host::cancel(model::run_no run, model::cancel_mode mode, std::string actor, completion done) {
  caf::anon_send(impl_->root, host_cancel{{run, mode, std::move(actor)}, std::move(done)});
}

void host::control(model::run_no run, model::control what, std::string actor,
                   std::function<void(expected<model::control_result>)> done) {
  caf::anon_send(impl_->root,
                 host_control{{run, std::move(what), std::move(actor)}, std::move(done)});
}

void host::ask(model::run_no run, model::question what,
               std::function<void(expected<model::value>)> done) {
  caf::anon_send(impl_->root, host_ask{{run, std::move(what)}, std::move(done)});
}

void host::drain(model::drain_mode mode, std::function<void()> done) {
  caf::anon_send(impl_->root, host_drain{{mode}, std::move(done)});
}

void host::save_checkpoint(model::attempt_key key, model::checkpoint what,
                           std::function<void(expected<void>)> done) {
  caf::anon_send(impl_->root, host_save_checkpoint{
                                {key, std::make_shared<const model::checkpoint>(std::move(what))},
                                std::move(done)});
}

void host::read_checkpoint(model::task_key task,
                           std::function<void(expected<model::checkpoint_ptr>)> done) {
  caf::anon_send(impl_->root, host_read_checkpoint{{task}, std::move(done)});
}

void host::hear(model::sign_of_life what, std::function<void(expected<void>)> done) {
  caf::anon_send(impl_->root, host_sign{std::move(what), std::move(done)});
}

std::uint64_t host::watch(event_callback on_events) {
  const auto id = ++impl_->last_watch;
  caf::anon_send(impl_->root, host_watch{id, std::move(on_events)});
  return id;
}

void host::unwatch(std::uint64_t id) {
  caf::anon_send(impl_->root, host_unwatch{id});
}

void host::stop() {
  if (!impl_->root)
    return;
  caf::anon_send_exit(impl_->root, caf::exit_reason::user_shutdown);
  impl_->root = nullptr;
  impl_->system.await_all_actors_done();
  std::promise<void> gone;
  impl_->launcher->abandon_all([&gone] { gone.set_value(); });
  gone.get_future().wait();
}

} // namespace sluice::actors
