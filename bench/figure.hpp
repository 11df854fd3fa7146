// One result of a benchmark, and the one line of JSON that bench/run.py reads.
#pragma once

#include "bench/measure.hpp"

#include <string>
#include <vector>

namespace sluice::bench {

/// What is wanted of a figure, at the median: of the figure itself in its unit, or of its ratio to
/// the limit.
enum class budget_kind { figure_at_least, figure_at_most, ratio_at_least, ratio_at_most };
struct budget {
  budget_kind kind = budget_kind::ratio_at_least;
  double value = 0;
};

/// One figure with its limit from the same run; the ratio of each pair is kept.
struct figure {
  std::string id;   ///< of the budget, such as `P1`
  std::string what; ///< one line: what was done, and what the limit is
  std::string unit;
  budget wanted;
  std::vector<double> values = {}, limits = {}; ///< pairwise, in order of measurement
  std::vector<cost> costs = {}; ///< of one task each; what two builds are compared by

  /// Adds one repetition of something that has a speed: `count` things at a cost, beside the
  /// seconds that the limit took for as many.
  void add_speed(double count, const cost& ours, double limit_seconds, double tasks);
};

/// Prints the figure as one line of JSON.
void print(const figure& f);

} // namespace sluice::bench
