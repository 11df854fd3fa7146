#include "logic/expression_values.hpp"

#include "logic/expression_moments.hpp"

#include <cmath>
#include <limits>

namespace sluice::logic {

std::string_view type_name(const model::value& v) {
  switch (v.type()) {
  case model::value::value_t::null:
    return "null";
  case model::value::value_t::boolean:
    return "bool";
  case model::value::value_t::number_integer:
  case model::value::value_t::number_unsigned:
    return "int";
  case model::value::value_t::number_float:
    return "double";
  case model::value::value_t::string:
    return "string";
  case model::value::value_t::array:
    return "list";
  case model::value::value_t::object:
    return "map";
  default:
    return to_string(as_moment(v)->kind);
  }
}

std::string plain_text(const model::value& v) {
  const auto m = as_moment(v);
  return m ? to_text(*m) : model::to_plain_text(v);
}

std::optional<number> as_number(const model::value& v) {
  if (v.is_number_float())
    return number{.is_whole = false, .real = v.get<double>()};
  if (v.is_number_unsigned()) {
    const auto n = v.get<std::uint64_t>();
    if (n > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return number{.is_whole = false, .real = static_cast<double>(n)};
    return number{.whole = static_cast<std::int64_t>(n)};
  }
  if (v.is_number_integer())
    return number{.whole = v.get<std::int64_t>()};
  return std::nullopt;
}

namespace {

std::partial_ordering order(std::int64_t whole, double real) {
  constexpr double two_to_63 = 9223372036854775808.0;
  if (std::isnan(real))
    return std::partial_ordering::unordered;
  if (real >= two_to_63)
    return std::partial_ordering::less;
  if (real < -two_to_63)
    return std::partial_ordering::greater;
  const auto floor = static_cast<std::int64_t>(std::floor(real));
  if (whole != floor)
    return whole <=> floor;
  return std::floor(real) < real ? std::partial_ordering::less : std::partial_ordering::equivalent;
}

} // namespace

std::partial_ordering order(const number& a, const number& b) {
  if (a.is_whole && b.is_whole)
    return a.whole <=> b.whole;
  if (a.is_whole)
    return order(a.whole, b.real);
  if (b.is_whole)
    return 0 <=> order(b.whole, a.real);
  return a.real <=> b.real;
}

std::optional<std::partial_ordering> order(const model::value& a, const model::value& b) {
  if (a.is_string() && b.is_string())
    return a.get_ref<const std::string&>() <=> b.get_ref<const std::string&>();
  if (a.is_boolean() && b.is_boolean())
    return a.get<bool>() <=> b.get<bool>();
  const auto left = as_number(a);
  const auto right = as_number(b);
  if (left && right)
    return order(*left, *right);
  const auto one = as_moment(a);
  const auto other = as_moment(b);
  if (one && other && one->kind == other->kind)
    return one->since <=> other->since;
  return std::nullopt;
}

bool are_equal(const model::value& a, const model::value& b, evaluation_meter& meter) {
  if (!meter.take_steps(1))
    return false;
  if (a.is_number() && b.is_number())
    return order(*as_number(a), *as_number(b)) == std::partial_ordering::equivalent;
  if (a.type() != b.type())
    return false;
  if (a.is_string()) {
    const auto& left = a.get_ref<const std::string&>();
    const auto& right = b.get_ref<const std::string&>();
    return left.size() == right.size() && meter.take_text(left.size()) && left == right;
  }
  if (a.is_array()) {
    if (a.size() != b.size())
      return false;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!are_equal(a[i], b[i], meter))
        return false;
    return true;
  }
  if (a.is_object()) {
    if (a.size() != b.size())
      return false;
    for (auto left = a.begin(); left != a.end(); ++left) {
      const auto right = b.find(left.key());
      if (right == b.end() || !are_equal(*left, *right, meter))
        return false;
    }
    return true;
  }
  return a == b;
}

bool pay_for_copy(const model::value& v, evaluation_meter& meter) {
  if (!meter.take_steps(1) || !meter.take_bytes(sizeof(model::value)))
    return false;
  if (v.is_string()) {
    const auto bytes = v.get_ref<const std::string&>().size();
    return meter.take_text(bytes) && meter.take_bytes(bytes);
  }
  if (v.is_array()) {
    for (const auto& element : v)
      if (!pay_for_copy(element, meter))
        return false;
  } else if (v.is_object()) {
    for (auto entry = v.begin(); entry != v.end(); ++entry)
      if (!meter.take_bytes(sizeof(std::string) + entry.key().size())
          || !pay_for_copy(*entry, meter))
        return false;
  }
  return true;
}

} // namespace sluice::logic
