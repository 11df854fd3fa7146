#include "executors/function_registry.hpp"

#include "model/state.hpp"

#include <cmath>

namespace sluice::executors {
namespace {

using model::failure;
using model::failure_class;

constexpr double longest_sleep_seconds = 366.0 * 24 * 60 * 60;

delayed_result bad_input(std::string message) {
  return {.result =
            tl::unexpected(failure{failure_class::permanent, "invalid_input", std::move(message)})};
}

/// A text among the inputs. Empty when it is absent, nothing when it is no text.
std::optional<std::string> text_input(const model::value& inputs, const char* name) {
  if (!inputs.is_object() || !inputs.contains(name) || inputs[name].is_null())
    return std::string{};
  const auto& v = inputs[name];
  if (v.is_number_integer())
    return model::to_plain_text(v); // `code: 3`
  return v.is_string() ? std::optional{v.get<std::string>()} : std::nullopt;
}

delayed_result noop(const call_context&) {
  return {};
}

delayed_result sleep_handler(const call_context& call) {
  if (!call.inputs.is_object() || !call.inputs.contains("seconds")
      || !call.inputs["seconds"].is_number())
    return bad_input("sleep needs a number in its input 'seconds'");
  const double seconds = call.inputs["seconds"].get<double>();
  if (!(seconds >= 0) || seconds > longest_sleep_seconds)
    return bad_input("sleep takes 'seconds' from 0 to a year");
  return {.delay = model::milliseconds{std::llround(seconds * 1000)}};
}

delayed_result echo(const call_context& call) {
  return {.result = call.inputs};
}

delayed_result fail_as_asked(const call_context& call) {
  const auto message = text_input(call.inputs, "message");
  const auto class_name = text_input(call.inputs, "class");
  const auto code = text_input(call.inputs, "code");
  if (!message || !class_name || !code)
    return bad_input("fail takes texts in 'message', 'class' and 'code'");
  auto as = class_name->empty() ? std::optional{failure_class::permanent}
                                : model::parse_failure_class(*class_name);
  // These two are statements about the executor and the operator, which a handler cannot make.
  if (!as || *as == failure_class::lost || *as == failure_class::cancelled)
    return bad_input("fail cannot fail with class '" + *class_name + "'");
  return {.result = tl::unexpected(failure{*as, code->empty() ? "fail" : *code,
                                           message->empty() ? "failed as asked" : *message})};
}

} // namespace

function_registry function_registry::with_builtins() {
  // All of them end without waiting for anything, so none needs a thread or a slot.
  function_registry registry;
  registry.handlers_.emplace("noop", asynchronous_handler{noop});
  registry.handlers_.emplace("sleep", asynchronous_handler{sleep_handler});
  registry.handlers_.emplace("echo", asynchronous_handler{echo});
  registry.handlers_.emplace("fail", asynchronous_handler{fail_as_asked});
  return registry;
}

expected<void> function_registry::add(std::string name, handler h) {
  const auto [at, is_new] = handlers_.try_emplace(std::move(name), std::move(h));
  if (!is_new)
    return fail(errc::conflict, "there is already a handler named '" + at->first + "'");
  return {};
}

const handler* function_registry::find(const std::string& name) const {
  const auto at = handlers_.find(name);
  return at == handlers_.end() ? nullptr : &at->second;
}

std::vector<std::string> function_registry::names() const {
  std::vector<std::string> all;
  for (const auto& [name, h] : handlers_)
    all.push_back(name);
  return all;
}

} // namespace sluice::executors
