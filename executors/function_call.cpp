#include "executors/function_call.hpp"

#include "executors/output_files.hpp"

#include <exception>

namespace sluice::executors {
namespace {

using model::failure;
using model::failure_class;

const std::string& handler_name(const model::start_attempt& start) {
  return std::get<model::call_action>(start.action()).handler;
}

delayed_result failed(failure_class as, std::string code, std::string message) {
  return {.result = tl::unexpected(failure{as, std::move(code), std::move(message)})};
}

} // namespace

bool is_asynchronous(const function_registry& functions, const model::start_attempt& start) {
  const auto* found = functions.find(handler_name(start));
  return found == nullptr || std::holds_alternative<asynchronous_handler>(*found);
}

delayed_result invoke(const function_registry& functions, const model::start_attempt& start,
                      std::stop_token stop, call_voice voice) {
  const auto& name = handler_name(start);
  const auto* found = functions.find(name);
  if (found == nullptr)
    return failed(failure_class::permanent, "handler_missing",
                  "there is no native handler named '" + name + "'");
  if (!voice.save_checkpoint)
    voice.save_checkpoint = [](const model::checkpoint&) {
      return expected<void>{
        fail(errc::invalid_argument, "an asynchronous handler has no progress to save")};
    };
  if (!voice.heartbeat)
    voice.heartbeat = [] {};
  const call_context context{start.key,
                             start.spec().name,
                             start.inputs,
                             std::move(stop),
                             start.kept->checkpoint.get(),
                             std::move(voice.save_checkpoint),
                             std::move(voice.heartbeat)};
  try {
    if (const auto* blocking = std::get_if<blocking_handler>(found))
      return {.result = (*blocking)(context)};
    return std::get<asynchronous_handler>(*found)(context);
  } catch (const std::exception& e) {
    return failed(failure_class::internal, "exception",
                  "handler '" + name + "' threw: " + e.what());
  } catch (...) {
    return failed(failure_class::internal, "exception", "handler '" + name + "' threw");
  }
}

void fill_report(model::attempt_report& report, const model::start_attempt& start,
                 call_result result) {
  if (!result) {
    report.failure = std::move(result.error());
    return;
  }
  if (start.spec().out.empty()) {
    report.outputs = std::move(*result);
    return;
  }
  output_request request;
  request.declared = start.spec().out;
  request.workdir = start.workflow->base_dir;
  auto checked = check_outputs(*result, request);
  report.outputs = std::move(checked.outputs);
  report.warnings = std::move(checked.warnings);
  report.failure = std::move(checked.failure);
}

} // namespace sluice::executors
