#include "logic/expression_arithmetic.hpp"

#include <cmath>
#include <limits>

namespace sluice::logic {
namespace {

tl::expected<number, std::string> calculate_whole(std::int64_t left, binary_operator op,
                                                  std::int64_t right) {
  std::int64_t result = 0;
  bool overflows = false;
  switch (op) {
  case binary_operator::add:
    overflows = __builtin_add_overflow(left, right, &result);
    break;
  case binary_operator::subtract:
    overflows = __builtin_sub_overflow(left, right, &result);
    break;
  case binary_operator::multiply:
    overflows = __builtin_mul_overflow(left, right, &result);
    break;
  default:
    if (right == 0)
      return tl::unexpected(std::string{"divides by zero"});
    overflows = left == std::numeric_limits<std::int64_t>::min() && right == -1;
    if (!overflows)
      result = op == binary_operator::divide ? left / right : left % right;
  }
  if (overflows)
    return tl::unexpected(std::string{"is outside the range of int (64 bits)"});
  return number{.whole = result};
}

tl::expected<number, std::string> calculate_real(double left, binary_operator op, double right) {
  double result = 0;
  switch (op) {
  case binary_operator::add:
    result = left + right;
    break;
  case binary_operator::subtract:
    result = left - right;
    break;
  case binary_operator::multiply:
    result = left * right;
    break;
  case binary_operator::divide:
    if (right == 0)
      return tl::unexpected(std::string{"divides by zero"});
    result = left / right;
    break;
  default:
    return tl::unexpected(std::string{"is not possible: '%' is for int only"});
  }
  // JSON has neither infinity nor NaN, so no value of ours can be one.
  if (!std::isfinite(result))
    return tl::unexpected(std::string{"is outside the range of double"});
  return number{.is_whole = false, .real = result};
}

} // namespace

tl::expected<number, std::string> calculate(const number& left, binary_operator op,
                                            const number& right) {
  if (left.is_whole != right.is_whole)
    return tl::unexpected(std::string{"mixes int and double"});
  return left.is_whole ? calculate_whole(left.whole, op, right.whole)
                       : calculate_real(left.real, op, right.real);
}

model::value to_value(const number& n) {
  return n.is_whole ? model::value(n.whole) : model::value(n.real);
}

} // namespace sluice::logic
