#include "model/budget.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::model {

amount to_amount(double units) {
  if (!(units > 0)) // nor a number that is none
    return 0;
  constexpr auto most = static_cast<double>(most_amount);
  return static_cast<amount>(std::llround(std::min(units * amount_unit, most)));
}

amount sum(amount a, amount b) {
  return a > std::numeric_limits<amount>::max() - b ? std::numeric_limits<amount>::max() : a + b;
}

amounts amounts_of(const value& usage) {
  amounts used{};
  if (!usage.is_object())
    return used;
  for (const auto kind : {budget_kind::cost, budget_kind::tokens}) {
    const auto told = usage.find(std::string{to_string(kind)});
    if (told != usage.end() && told->is_number())
      used[std::size_t(kind)] = to_amount(told->get<double>());
  }
  return used;
}

std::string to_text(budget_kind kind, amount a) {
  if (kind == budget_kind::time)
    return to_human(microseconds{a});
  // As many digits as it needs; money has two at least.
  auto fraction = std::to_string(amount_unit + a % amount_unit).substr(1);
  const std::size_t least = kind == budget_kind::cost ? 2 : 0;
  while (fraction.size() > least && fraction.back() == '0')
    fraction.pop_back();
  return std::to_string(a / amount_unit) + (fraction.empty() ? "" : "." + fraction);
}

} // namespace sluice::model
