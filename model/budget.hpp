// What tasks may use and what they have used: money, tokens and time. Whole numbers, so that a sum
// does not depend on the order in which it is made and is the same after a restart. Plain values.
#pragma once

#include "model/json.hpp"
#include "model/state.hpp"
#include "model/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::model {

/// In millionths: of the unit of money, of a token, of a second.
using amount = std::int64_t;
inline constexpr amount amount_unit = 1'000'000;
/// More is counted as this: a thousand million units.
inline constexpr amount most_amount = amount_unit * 1'000'000'000;
/// By `budget_kind`.
using amounts = std::array<amount, budget_kind_count>;

/// What is less than nothing counts as nothing.
amount to_amount(double units);
/// The sum, or the most there is.
amount sum(amount a, amount b);
/// What an attempt has said, of an object of numbers such as `{"cost": 0.5, "tokens": 12}`. Nobody
/// has to say how long it took.
amounts amounts_of(const value& usage);
/// For people: `6.10`, `1200`, `2h 41m`.
std::string to_text(budget_kind kind, amount a);

/// What some tasks may use together.
struct budget_spec {
  std::array<std::optional<amount>, budget_kind_count> limits; ///< none: as much as they like
  model::on_exceeded on_exceeded = model::on_exceeded::stop;
  bool is_split = false; ///< each task has a share of what is left; else all use one pot
  /// Of tasks by name, when it is split: how their shares are to each other. Of others it is 1.
  std::vector<std::pair<std::string, amount>> weights;
  friend bool operator==(const budget_spec&, const budget_spec&) = default;
};

/// What one attempt has used; so far, without its time, when it is under way.
struct used_by_attempt {
  std::uint32_t task_idx = 0;
  amounts used{};
  std::optional<wall_time> under_way_since; ///< nothing: it is over
};

} // namespace sluice::model
