// The secrets of an attempt: from the references of its task to values and what masks them.
// `resolve_secrets` reads files and is called on the process thread; `secrets_in_use` by any.
#pragma once

#include "executors/mask_patterns.hpp"
#include "model/command.hpp"
#include "model/run.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::executors {

/// A variable of the runtime's environment.
using variable_lookup = std::function<std::optional<std::string>(const std::string& name)>;

/// Values are overwritten when they go.
struct attempt_secrets {
  std::vector<secret_value> values;
  std::shared_ptr<const mask_patterns> patterns;

  attempt_secrets() = default;
  attempt_secrets(const attempt_secrets&) = delete;
  attempt_secrets& operator=(const attempt_secrets&) = delete;
  ~attempt_secrets();
};

/// Null when the task has none. The failure names the variable and its reference, never a value:
/// class permanent, code `secret_unavailable`; on a full host that of `explain`.
tl::expected<std::unique_ptr<attempt_secrets>, model::failure>
resolve_secrets(const model::start_attempt& order, const variable_lookup& variable);

/// Which attempts have secrets now, for those who take what tasks tell.
class secrets_in_use {
public:
  void add(model::attempt_key key, std::shared_ptr<const mask_patterns> patterns);
  void remove(model::attempt_key key);
  /// No attempt has any.
  bool none() const { return count_ == 0; }
  /// The name of a secret of the attempt that the text holds; nothing when it has none.
  std::optional<std::string> find(model::attempt_key key, std::string_view text) const;

private:
  std::atomic<std::size_t> count_{0}; ///< most runtimes have none, and take no lock
  mutable std::mutex mutex_;
  std::unordered_map<model::attempt_key, std::shared_ptr<const mask_patterns>> patterns_;
};

} // namespace sluice::executors
