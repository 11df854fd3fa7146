#include "executors/secrets.hpp"

#include "executors/bounded_file.hpp"
#include "executors/start_failure.hpp"
#include "model/secret.hpp"

#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace sluice::executors {
namespace {

using model::failure;
using model::failure_class;

struct no_value {
  std::string why; ///< the rest of a sentence that begins with the secret
  int err = 0;     ///< errno value, when that is the reason
};
using resolved = tl::expected<std::string, no_value>;

tl::unexpected<no_value> because(std::string why, int err = 0) {
  return tl::unexpected(no_value{std::move(why), err});
}

resolved from_environment(const std::string& name, const variable_lookup& variable) {
  auto value = variable ? variable(name) : std::nullopt;
  if (!value)
    return because("the runtime has no variable '" + name + "'");
  return std::move(*value);
}

resolved from_file(const std::string& place, const std::string& base_dir) {
  const auto path = place.starts_with('/') || base_dir.empty() ? place : base_dir + "/" + place;
  constexpr std::size_t line_end = 2; // is not counted
  auto text = read_bounded(path, "'" + path + "'", model::most_secret_bytes + line_end);
  if (!text)
    return because(text.error().is_too_large
                     ? "the file is larger than " + std::to_string(model::most_secret_bytes)
                         + " bytes"
                     : text.error().why,
                   text.error().err);
  if (text->empty() && ::access(path.c_str(), F_OK) != 0)
    return because("cannot read '" + path + "': " + errno_text(errno));
  if (text->ends_with('\n'))
    text->pop_back();
  if (text->ends_with('\r'))
    text->pop_back();
  return std::move(*text);
}

resolved resolve(const std::string& text, const std::string& base_dir,
                 const variable_lookup& variable) {
  const auto reference = model::parse_secret_reference(text);
  if (!reference)
    return because(reference.error().message);
  auto value = reference->source == model::secret_source::environment
                 ? from_environment(reference->place, variable)
                 : from_file(reference->place, base_dir);
  if (value && value->empty())
    return because("its value is empty");
  if (value && value->find('\0') != std::string::npos)
    return because("its value holds a NUL, which no environment can carry");
  return value;
}

} // namespace

attempt_secrets::~attempt_secrets() {
  for (auto& secret : values)
    ::explicit_bzero(secret.value.data(), secret.value.size());
}

tl::expected<std::unique_ptr<attempt_secrets>, failure>
resolve_secrets(const model::start_attempt& order, const variable_lookup& variable) {
  const auto& task = order.spec();
  if (defaults_of(*order.workflow, task).secrets.empty() && task.settings->secrets.empty())
    return nullptr;
  auto secrets = std::make_unique<attempt_secrets>();
  std::size_t total = 0;
  for (const auto& [name, reference] : secrets_of(*order.workflow, task)) {
    auto value = resolve(reference, order.workflow->base_dir, variable);
    if (value && (total += value->size()) > model::most_secret_bytes)
      value =
        because("the secrets of a task are at most " + std::to_string(model::most_secret_bytes)
                + " bytes together; hand over the name of a file");
    if (!value && is_shortage(value.error().err))
      return tl::unexpected(explain({.err = value.error().err, .program = order.name()}));
    if (!value)
      return tl::unexpected(failure{failure_class::permanent, "secret_unavailable",
                                    "task '" + order.name() + "' cannot have the secret " + name
                                      + " from '" + reference + "': " + value.error().why});
    secrets->values.push_back({name, std::move(*value)});
  }
  secrets->patterns = std::make_shared<const mask_patterns>(secrets->values);
  return secrets;
}

void secrets_in_use::add(model::attempt_key key, std::shared_ptr<const mask_patterns> patterns) {
  const std::lock_guard lock{mutex_};
  patterns_.insert_or_assign(key, std::move(patterns));
  count_ = patterns_.size();
}

void secrets_in_use::remove(model::attempt_key key) {
  const std::lock_guard lock{mutex_};
  patterns_.erase(key);
  count_ = patterns_.size();
}

std::optional<std::string> secrets_in_use::find(model::attempt_key key,
                                                std::string_view text) const {
  if (count_ == 0)
    return std::nullopt;
  std::shared_ptr<const mask_patterns> patterns;
  {
    const std::lock_guard lock{mutex_};
    const auto at = patterns_.find(key);
    if (at == patterns_.end())
      return std::nullopt;
    patterns = at->second;
  }
  return patterns->find(text);
}

} // namespace sluice::executors
