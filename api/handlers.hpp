// From a request to the call it stands for, and from its result to the response. Pure but for the
// calls themselves; used on the server's thread.
#pragma once

#include "api/requests.hpp"
#include "model/event.hpp"
#include "model/ids.hpp"
#include "model/question.hpp"

#include <functional>
#include <optional>
#include <string_view>

namespace sluice::runtime {
class orchestrator;
}

namespace sluice::api {

/// What requests ask of a runtime. The answers may come on any thread.
struct runtime_calls {
  template <class T>
  using answer = std::function<void(expected<T>)>;

  /// Whose token it is; nothing for a wrong one.
  std::function<std::optional<model::attempt_key>(std::string_view token)> attempt_of;
  std::function<void(model::run_no, model::cancel_mode, answer<model::run_no>)> cancel;
  std::function<void(model::run_no, model::control, answer<model::control_result>)> control;
  std::function<void(model::run_no, model::question, answer<model::value>)> ask;
  /// `switches` that were set, and what is `waiting` at gates. Answers at once.
  std::function<expected<model::value>()> gates;
  std::function<void(model::attempt_key, model::checkpoint, answer<void>)> save_checkpoint;
  std::function<void(model::task_key, answer<model::checkpoint_ptr>)> read_checkpoint;
  std::function<void(model::sign_of_life, answer<void>)> hear;
};

/// The calls of a node, which has to outlive them.
runtime_calls calls_of(runtime::orchestrator& node);

/// Answers a request, at once or when the runtime has.
void handle(const runtime_calls& calls, request what, responder done);

} // namespace sluice::api
