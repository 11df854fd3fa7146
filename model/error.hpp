// What went wrong, as a value: a code that a caller acts on, and a sentence for a person.
// Owned by whoever returns it; no thread, no state. See CONTRIBUTING.md for who does what on which
// code.
#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

/// A code exists only if some caller acts differently on it.
enum class errc : std::uint8_t {
  invalid_argument = 1, ///< tell the user; never retry
  not_found,            ///< tell the user; never retry
  conflict,             ///< read again and decide
  unavailable,          ///< retry with backoff
  timeout,              ///< unknown whether it happened: ask, then retry
  cancelled,            ///< stop quietly
  corrupt,              ///< stop the component, keep the evidence
  internal,             ///< a bug: log, fail this unit of work, carry on
};

/// The code's name as it is written in this enumeration.
std::string_view to_string(errc code);

/// What was tried, on what, and the cause, with the code a caller acts on.
struct error {
  errc code = errc::internal;
  std::string message;

  friend bool operator==(const error&, const error&) = default;
};

template <class T>
using expected = tl::expected<T, error>;

/// Shorthand for the unexpected side of an `expected`.
inline tl::unexpected<error> fail(errc code, std::string message) {
  return tl::unexpected(error{code, std::move(message)});
}

/// The text of an errno value, thread-safe.
std::string errno_text(int err);

} // namespace sluice
