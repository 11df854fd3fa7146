// Small texts that several verbs share: how a state, a failure, a task id or a length of time
// reads. Pure functions.
#pragma once

#include "cli/console.hpp"
#include "model/gate.hpp"
#include "model/run.hpp"
#include "runtime/history.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace sluice::cli {

/// The colour of a task's or run's state, by its shown name.
tint tint_of(std::string_view state);

/// Whether an attempt was taken back without a fault of its own: it had no slot, or was stopped by
/// a pause or by the end of its runtime. It counts neither as failed nor as lost.
bool is_given_back(const model::failure& failure);

/// `exit 3`, `SIGKILL`, `given back`, `timeout`, `permanent (output_too_large)`.
std::string failure_words(const model::failure& failure);
/// The words, and the message behind them when it says more.
std::string failure_sentence(const model::failure& failure);

/// `r-12/load`, or `r-12/7` when a shell would not take the name as it is.
std::string task_id(model::task_key key, std::string_view name);

/// How long: from the start (or dispatch) to the end (or now, when it is under way), or empty.
std::string task_time(const runtime::task_view& task, model::wall_time now);
/// Of the run's last generation.
std::string run_time(const runtime::run_view& run, model::wall_time now);

/// `generation 2`; nothing for the first.
std::string generation_words(std::uint32_t generation);

/// Counts of what is not zero, in words: `1 failed  2 skipped`.
std::string count_words(const runtime::run_view& run);

/// `of r-1/load`; empty when it is no part of another one.
std::string parent_words(const runtime::run_view& run);

/// `waits for its breaker, 42s left (5 failures in a row)`
std::string breaker_words(const model::breaker_state& breaker, model::wall_time now);
/// Of a task that waits for another one with its key.
inline constexpr std::string_view words_for_shared_key = "waits for a task with the same key";
/// `held after exit 3; retry, or mark it`
std::string held_words(const model::failure& failure);

/// `waits for an approval, 7h 59m left: Publish?`
std::string gate_words(const model::awaited& what, model::wall_time now);

/// A task that an operator has paused.
struct paused_by_hand {
  friend bool operator==(const paused_by_hand&, const paused_by_hand&) = default;
};
/// What a task waits for: its breaker, a decision about this failure, to be resumed, or what it is
/// for.
using hindrance =
  std::variant<model::breaker_state, model::failure, paused_by_hand, model::awaited>;
std::string waiting_words(const hindrance& what, model::wall_time now);

/// `[####....]`, `width` characters between the brackets.
std::string bar(std::size_t done, std::size_t total, std::size_t width);

/// The first few names, and how many more there are: `a, b and 3 more`.
std::string some_of(const std::vector<std::string>& names);

/// `1 task`, `2 tasks`
std::string plural(std::size_t count, std::string_view noun);

/// One word for a shell, in quotes when it needs them.
std::string shell_quoted(std::string_view word);

/// Text of unknown origin as one line that cannot disturb a terminal: escape sequences are left
/// out, control characters and what is no UTF-8 replaced.
std::string printable(std::string_view text);

/// Characters on screen, counting each code point as one column.
std::size_t display_width(std::string_view text);
/// At most `width` columns; what is longer ends in `...`.
std::string shortened(std::string_view text, std::size_t width);
std::string padded(std::string_view text, std::size_t width);

} // namespace sluice::cli
