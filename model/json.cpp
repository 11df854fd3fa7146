#include "model/json.hpp"

#include "model/event.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

namespace sluice::model {
namespace {

constexpr auto max_int64 = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

/// Builds a value from the parser's events and refuses what its own builder would let through:
/// double keys, deep nesting, integers that would silently become doubles.
class value_builder : public nlohmann::json_sax<value> {
public:
  explicit value_builder(std::size_t max_depth) : max_depth_(max_depth) {}

  value take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

  bool null() override { return put(nullptr); }
  bool boolean(bool b) override { return put(b); }
  bool number_integer(std::int64_t n) override { return put(n); }
  bool number_unsigned(std::uint64_t n) override {
    return n > max_int64 ? too_large(std::to_string(n)) : put(static_cast<std::int64_t>(n));
  }
  bool number_float(double d, const std::string& text) override {
    // The lexer falls back to double for digits that do not fit an integer.
    const bool is_integer = text.find_first_of(".eE") == std::string::npos;
    return is_integer || !std::isfinite(d) ? too_large(text) : put(d);
  }
  bool string(std::string& s) override { return put(std::move(s)); }
  bool binary(value::binary_t&) override { return refuse("binary data"); }

  bool start_object(std::size_t) override { return open(value::object()); }
  bool key(std::string& name) override {
    auto& object = open_.back()->get_ref<value::object_t&>();
    const auto [place, is_new] = object.try_emplace(name);
    slot_ = &place->second;
    return is_new || refuse("key '" + name + "' stands twice in one object");
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(value::array()); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception& cause) override {
    std::string_view what = cause.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 3: syntax error ..."
    if (const auto bracket = what.find("] "); bracket != std::string_view::npos)
      what.remove_prefix(bracket + 2);
    if (const auto colon = what.find(": ");
        what.starts_with("parse error at") && colon != std::string_view::npos)
      what.remove_prefix(colon + 2);
    return refuse("at byte " + std::to_string(position) + ": " + std::string{what});
  }

private:
  bool refuse(std::string why) {
    if (problem_.empty())
      problem_ = std::move(why);
    return false;
  }
  bool too_large(const std::string& digits) {
    return refuse("number " + digits + " is outside the range of 64-bit integers and doubles");
  }
  value& place(value&& v) {
    if (open_.empty())
      return root_ = std::move(v);
    if (open_.back()->is_array())
      return open_.back()->emplace_back(std::move(v));
    return *slot_ = std::move(v);
  }
  bool put(value&& v) {
    place(std::move(v));
    return true;
  }
  bool open(value&& v) {
    if (open_.size() >= max_depth_)
      return refuse("nested deeper than " + std::to_string(max_depth_) + " levels");
    open_.push_back(&place(std::move(v)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::size_t max_depth_;
  value root_;
  value* slot_ = nullptr;    ///< where the value of the last key goes
  std::vector<value*> open_; ///< stable: only the innermost container grows
  std::string problem_;
};

std::string shortest(double d) {
  std::array<char, 32> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), d);
  return {digits.data(), result.ptr};
}

} // namespace

expected<value> parse_json(std::string_view text, const json_limits& limits) {
  if (text.size() > limits.bytes)
    return fail(errc::invalid_argument, "JSON text of " + std::to_string(text.size())
                                          + " bytes is longer than the limit of "
                                          + std::to_string(limits.bytes));
  // The lexer takes a NUL for the end of the text and would ignore what follows.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos)
    return fail(errc::invalid_argument,
                "invalid JSON at byte " + std::to_string(nul + 1) + ": NUL character");
  value_builder builder{limits.depth};
  if (!value::sax_parse(text.begin(), text.end(), &builder))
    return fail(errc::invalid_argument, "invalid JSON: " + builder.problem());
  return builder.take();
}

std::string to_text(const value& v) {
  return v.dump(-1, ' ', false, value::error_handler_t::replace);
}

std::string to_plain_text(const value& v) {
  if (v.is_null())
    return {};
  if (v.is_string())
    return v.get_ref<const std::string&>();
  if (v.is_number_float())
    return shortest(v.get<double>());
  return to_text(v);
}

value to_json(const event& e) {
  value v{{"seq", e.seq},
          {"at", to_rfc3339(e.at)},
          {"run", to_string(e.run_no)},
          {"type", to_string(e.type)}};
  if (e.task_idx)
    v["task_idx"] = *e.task_idx;
  if (e.attempt)
    v["attempt"] = *e.attempt;
  for (const auto& [name, text] : {std::pair{"task", &e.task}, std::pair{"from", &e.from},
                                   std::pair{"to", &e.to}, std::pair{"actor", &e.actor}})
    if (!text->empty())
      v[name] = *text;
  if (!e.data.is_null())
    v["data"] = e.data;
  return v;
}

} // namespace sluice::model
