// What every verb is given: the global options, where to write, and the time.
#pragma once

#include "cli/console.hpp"
#include "cli/exit_codes.hpp"
#include "model/error.hpp"
#include "model/json.hpp"
#include "model/time.hpp"
#include "runtime/zones.hpp"

#include <filesystem>
#include <string>

namespace sluice::cli {

enum class output_form { text, json, quiet };

struct session {
  std::filesystem::path store_dir;
  output_form form = output_form::text;
  runtime::zone_choice zone = runtime::zone_choice::local;
  console& out;
  console& err;
  model::clock clock;

  bool json() const { return form == output_form::json; }
  bool quiet() const { return form == output_form::quiet; }
  bool text() const { return form == output_form::text; }

  /// One JSON document on a line of its own.
  void print_json(const model::value& v) { out.line(model::to_text(v)); }
  /// A command to paste: `sluice [--store DIR] VERB`, with the store when it is not the default.
  std::string hint(const std::string& verb) const;
  /// Prints the error and returns the exit code for it.
  int fail(const error& e);
  int fail(std::string_view message, int code);
};

inline constexpr const char* default_store_dir = ".sluice";

} // namespace sluice::cli
