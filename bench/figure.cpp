#include "bench/figure.hpp"

#include "model/json.hpp"

#include <algorithm>

namespace sluice::bench {
namespace {

const char* name_of(budget_kind kind) {
  switch (kind) {
  case budget_kind::figure_at_least:
    return "figure_at_least";
  case budget_kind::figure_at_most:
    return "figure_at_most";
  case budget_kind::ratio_at_least:
    return "ratio_at_least";
  case budget_kind::ratio_at_most:
    return "ratio_at_most";
  }
  return "";
}

model::value as_json(std::vector<double> samples) {
  const auto s = summarize(std::move(samples));
  return {{"min", s.least}, {"median", s.median}, {"max", s.most}};
}

/// Median of one part of all costs, in microseconds.
double median_us(const std::vector<cost>& costs, double cost::*part) {
  std::vector<double> values;
  for (const auto& c : costs)
    values.push_back(c.*part * 1e6);
  return summarize(std::move(values)).median;
}

} // namespace

void figure::add_speed(double count, const cost& ours, double limit_seconds, double tasks) {
  values.push_back(count / ours.seconds);
  limits.push_back(count / limit_seconds);
  costs.push_back(ours / tasks);
}

void print(const figure& f) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < f.values.size() && i < f.limits.size(); ++i)
    ratios.push_back(f.values[i] / f.limits[i]);
  model::value line{{"id", f.id},
                    {"what", f.what},
                    {"unit", f.unit},
                    {"figure", as_json(f.values)},
                    {"limit", as_json(f.limits)},
                    {"ratio", as_json(ratios)},
                    {"budget", {{name_of(f.wanted.kind), f.wanted.value}}}};
  if (!f.costs.empty())
    line["cost_per_task"] = {{"cpu_us", median_us(f.costs, &cost::cpu_seconds)},
                             {"wall_us", median_us(f.costs, &cost::seconds)},
                             {"allocations", median_us(f.costs, &cost::allocations) / 1e6}};
  std::printf("%s\n", model::to_text(line).c_str());
}

} // namespace sluice::bench
