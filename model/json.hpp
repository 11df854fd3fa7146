// The one JSON form of our types, and the one way in and out of JSON text. `value` is the dynamic
// value type of workflow inputs, outputs and parameters.
#pragma once

#include "model/error.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::model {

/// A dynamic value: null, bool, int64, double, string, list or map.
using value = nlohmann::json;

struct workflow_spec;
struct event;

struct json_limits {
  std::size_t bytes = 16u << 20;
  std::size_t depth = 64;
};

/// Parses one JSON document. Errors: `invalid_argument` for bad syntax (with the byte offset), for
/// text that is too long, nested too deeply or no UTF-8, for numbers outside int64 and double, and
/// for a key that stands twice in one object.
expected<value> parse_json(std::string_view text, const json_limits& limits = {});

/// Compact text; invalid UTF-8 is replaced.
std::string to_text(const value& v);

/// Shortest text that a person or a shell reads as this value: strings as they are, numbers in
/// shortest form, `true`/`false`, lists and maps as compact JSON, null as the empty text.
std::string to_plain_text(const value& v);

/// A specification as stored in the database, and back. Errors of the way back: `corrupt`.
value to_json(const workflow_spec& spec);
expected<std::shared_ptr<const workflow_spec>> workflow_from_json(const value& v);

/// A committed event as `events --json` and `run --json` print it, one object a line.
value to_json(const event& e);

} // namespace sluice::model
