// What CEL says about values: their types, numbers, order and equality; and the meter that bounds
// an evaluation. Plain functions and a value, used by the evaluation and the templates.
#pragma once

#include "logic/expression.hpp"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::logic {

/// What is left of a budget. Once something did not fit, everything fails.
class evaluation_meter {
public:
  explicit evaluation_meter(const evaluation_budget& budget) : left_{budget} {}

  bool take_steps(std::uint64_t steps) {
    is_exhausted_ = is_exhausted_ || steps > left_.steps;
    left_.steps -= std::min(steps, left_.steps);
    return !is_exhausted_;
  }
  bool take_bytes(std::size_t bytes) {
    is_exhausted_ = is_exhausted_ || bytes > left_.result_bytes;
    left_.result_bytes -= std::min(bytes, left_.result_bytes);
    return !is_exhausted_;
  }
  /// For going over so much text.
  bool take_text(std::size_t bytes) { return take_steps(1 + bytes / 256); }
  bool is_exhausted() const { return is_exhausted_; }
  std::size_t bytes_left() const { return left_.result_bytes; }

private:
  evaluation_budget left_;
  bool is_exhausted_ = false;
};

/// CEL's name of the value's type.
std::string_view type_name(const model::value& v);

/// A single value as a text.
std::string plain_text(const model::value& v);

struct number {
  bool is_whole = true; ///< int, else double
  std::int64_t whole = 0;
  double real = 0;
};
/// Nothing when it is no number. An integer outside int64, which no JSON document of ours holds,
/// counts as double.
std::optional<number> as_number(const model::value& v);

/// By mathematical value, exact also between int and double; NaN is unordered.
std::partial_ordering order(const number& a, const number& b);

/// Numbers, texts (by code point), bools, timestamps and durations have an order, each among
/// themselves; else nothing.
std::optional<std::partial_ordering> order(const model::value& a, const model::value& b);

/// Values of different types are unequal, numbers compare across types, lists and maps by content.
/// Meaningless when the meter is exhausted afterwards.
bool are_equal(const model::value& a, const model::value& b, evaluation_meter& meter);

/// Takes the steps and bytes of a copy of the value; false when the budget does not allow it.
bool pay_for_copy(const model::value& v, evaluation_meter& meter);

} // namespace sluice::logic
