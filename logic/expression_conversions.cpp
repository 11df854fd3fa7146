// Functions that make one type of another, and those that read fields of a time.
#include "logic/expression_evaluator.hpp"
#include "logic/expression_moments.hpp"

#include <charconv>
#include <cmath>

namespace sluice::logic::evaluation {
namespace {

template <class Number>
std::optional<Number> parsed(const std::string* text) {
  if (text == nullptr || text->empty())
    return std::nullopt;
  Number number{};
  const auto* const last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, number);
  return error == std::errc{} && end == last ? std::optional{number} : std::nullopt;
}

std::optional<model::value> to_int(const model::value& v) {
  constexpr double two_to_63 = 9223372036854775808.0;
  if (const auto n = as_number(v)) {
    if (n->is_whole)
      return n->whole;
    if (n->real <= -two_to_63 || n->real >= two_to_63)
      return std::nullopt;
    return static_cast<std::int64_t>(n->real); // towards zero, as CEL has it
  }
  if (const auto m = as_moment(v))
    return m->kind == moment_kind::timestamp
             ? std::optional<model::value>{std::chrono::floor<model::seconds>(m->since).count()}
             : std::nullopt;
  const auto whole = parsed<std::int64_t>(v.get_ptr<const std::string*>());
  return whole ? std::optional<model::value>{*whole} : std::nullopt;
}

std::optional<model::value> to_double(const model::value& v) {
  if (const auto n = as_number(v))
    return n->is_whole ? static_cast<double>(n->whole) : n->real;
  const auto real = parsed<double>(v.get_ptr<const std::string*>());
  return real && std::isfinite(*real) ? std::optional<model::value>{*real} : std::nullopt;
}

std::optional<model::value> to_bool(const model::value& v) {
  const auto* text = v.get_ptr<const std::string*>();
  if (text != nullptr && (*text == "true" || *text == "false"))
    return *text == "true";
  return v.is_boolean() ? std::optional{v} : std::nullopt;
}

std::optional<model::value> to_moment(const model::value& v, moment_kind wanted) {
  std::optional<moment> made;
  if (const auto* text = v.get_ptr<const std::string*>())
    made = wanted == moment_kind::timestamp ? timestamp_of(*text) : duration_of(*text);
  else if (const auto n = as_number(v); n && n->is_whole && wanted == moment_kind::timestamp)
    made = timestamp_of(n->whole);
  else if (const auto m = as_moment(v); m && m->kind == wanted)
    made = m;
  return made ? std::optional{to_value(*made)} : std::nullopt;
}

} // namespace

outcome expression_evaluator::convert(const expression_node& node) {
  const auto from = evaluate(node.children.front());
  if (!from)
    return from;
  const auto& v = from->get();
  if (const auto* text = v.get_ptr<const std::string*>();
      text != nullptr && !meter_.take_text(text->size()))
    return tl::unexpected(exhausted());
  std::optional<model::value> made;
  const char* wanted = "single value";
  switch (node.function) {
  case builtin::to_int:
    made = to_int(v);
    wanted = "int";
    break;
  case builtin::to_double:
    made = to_double(v);
    wanted = "double";
    break;
  case builtin::to_bool:
    made = to_bool(v);
    wanted = "bool";
    break;
  case builtin::timestamp:
    made = to_moment(v, moment_kind::timestamp);
    wanted = "timestamp";
    break;
  case builtin::duration:
    made = to_moment(v, moment_kind::duration);
    wanted = "duration";
    break;
  default:
    if (!v.is_structured() && !v.is_null())
      return made_text(plain_text(v));
  }
  if (made)
    return make(std::move(*made));
  const auto shown =
    v.is_string() ? shortened(v.get_ref<const std::string&>()) : part(node.children.front());
  return wrong(part(node) + ": " + shown + " is "
               + (v.is_string() || v.is_number() ? "" : std::string{type_name(v)} + " and ") + "no "
               + wanted);
}

/// `time.getHours()`, in UTC or with an offset from it.
outcome expression_evaluator::time_field(const expression_node& node) {
  const auto of = evaluate(node.children.front());
  if (!of)
    return of;
  auto m = as_moment(of->get());
  if (!m || !has_field(m->kind, node.function))
    return wrong(part(node) + ": " + part(node.children.front()) + " is "
                 + std::string{type_name(of->get())} + " and no timestamp");
  if (node.children.size() > 1) {
    if (m->kind == moment_kind::duration)
      return wrong(part(node) + ": a duration has no zone");
    const auto zone = text_argument(node, 1);
    if (!zone)
      return tl::unexpected(zone.error());
    const auto offset = zone_offset_of(*zone);
    if (!offset)
      return wrong(part(node) + ": " + shortened(*zone)
                   + " is neither UTC nor an offset such as +01:00; names of zones are not in this "
                     "version");
    m->since += *offset;
  }
  return make(read_field(*m, node.function));
}

} // namespace sluice::logic::evaluation
