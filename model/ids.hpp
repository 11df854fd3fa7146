// Keys of runs, tasks and attempts, and the forms people see and type. Plain values.
#pragma once

#include "model/error.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sluice::model {

/// Number of a run, counted from 1 per store. Shown as `r-12`.
struct run_no {
  std::int64_t value = 0;
  friend auto operator<=>(const run_no&, const run_no&) = default;
};

/// A task of a run; `task_idx` counts from 0 in order of creation. Shown as `r-12/7`.
struct task_key {
  model::run_no run_no;
  std::uint32_t task_idx = 0;
  friend auto operator<=>(const task_key&, const task_key&) = default;
};

/// One try to execute a task, and the only fence: a report whose key is not the task's current
/// attempt changes nothing. `attempt` counts from 1 and is never reused. Shown as `r-12/7#2`.
struct attempt_key {
  model::run_no run_no;
  std::uint32_t task_idx = 0;
  std::uint32_t attempt = 0;

  task_key task() const { return {run_no, task_idx}; }
  friend auto operator<=>(const attempt_key&, const attempt_key&) = default;
};

std::string to_string(run_no run);
std::string to_string(task_key task);
std::string to_string(attempt_key attempt);

/// Reads `r-12` or `12`. Errors: `invalid_argument`.
expected<run_no> parse_run_no(std::string_view text);

} // namespace sluice::model

template <>
struct std::hash<sluice::model::run_no> {
  std::size_t operator()(sluice::model::run_no run) const noexcept {
    return std::hash<std::int64_t>{}(run.value);
  }
};

template <>
struct std::hash<sluice::model::attempt_key> {
  std::size_t operator()(const sluice::model::attempt_key& key) const noexcept {
    auto mixed = static_cast<std::uint64_t>(key.run_no.value) * 0x9E3779B97F4A7C15ull;
    mixed ^= (static_cast<std::uint64_t>(key.task_idx) << 20) ^ key.attempt;
    return std::hash<std::uint64_t>{}(mixed * 0xFF51AFD7ED558CCDull);
  }
};
