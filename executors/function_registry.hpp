// Native handlers by name: what `call` tasks run. Filled before the runtime starts, then read-only
// and shared by all threads.
#pragma once

#include "model/command.hpp"
#include "model/run.hpp"

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace sluice::executors {

/// What a handler is given. Lives as long as the call.
struct call_context {
  model::attempt_key key;
  const std::string& task;
  const model::value& inputs;                    ///< object, or null
  std::stop_token stop;                          ///< set on cancel and timeout
  const model::checkpoint* checkpoint = nullptr; ///< what an earlier attempt saved; null: nothing
  /// Saves progress for the next attempt, and returns when it is durable. Only of blocking
  /// handlers. Errors: `conflict` when the attempt is over, `invalid_argument`, `unavailable`.
  std::function<expected<void>(model::checkpoint)> save_checkpoint;
  std::function<void()> heartbeat; ///< says that the handler lives; from its thread
};

/// Success with outputs (an object, or null), or why it failed.
using call_result = tl::expected<model::value, model::failure>;

/// Runs on a pool thread, takes a slot, may block. A handler that ignores the stop token keeps its
/// task in `cancelling`. An exception fails the attempt with class `internal`.
using blocking_handler = std::function<call_result(const call_context&)>;

/// Ends by itself after a time, without holding a thread or a slot: the result is computed at the
/// start, and delivered after `delay`.
struct delayed_result {
  model::milliseconds delay{0};
  call_result result = model::value{};
};
using asynchronous_handler = std::function<delayed_result(const call_context&)>;

using handler = std::variant<blocking_handler, asynchronous_handler>;

class function_registry {
public:
  /// With the built-in handlers: `noop`; `sleep` (in `seconds`); `echo` (outputs = inputs); `fail`
  /// (in `message`, `class`, `code`).
  static function_registry with_builtins();

  /// Errors: `conflict` when the name is taken.
  expected<void> add(std::string name, handler h);
  const handler* find(const std::string& name) const;
  std::vector<std::string> names() const;

private:
  std::map<std::string, handler> handlers_;
};

} // namespace sluice::executors
