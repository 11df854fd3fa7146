// The one place that catches what SQLite throws, and makes an error of it. Used by every public
// function of this directory, on whichever thread owns the connection.
#pragma once

#include "model/error.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <stdexcept>
#include <string>
#include <type_traits>

namespace sluice::storage::sqlite {

/// A row holds what this program never writes, such as an unknown state. Becomes `corrupt`.
struct unreadable_row : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// `unavailable` for a busy or full database and for failing files, `corrupt` when it is damaged
/// or no database, else `internal`.
errc classify(int sqlite_code);

/// The error for the exception in flight; `what` completes "cannot ...".
/// @pre called in a catch block
error current_error(const std::string& what);

template <class T>
inline constexpr bool is_expected = false;
template <class T>
inline constexpr bool is_expected<expected<T>> = true;

/// Runs `work` and returns what it returns, or the error for what it throws. Work that returns an
/// `expected` itself is not wrapped twice.
template <class Work>
auto guarded(const std::string& what, Work&& work) {
  using result = std::invoke_result_t<Work>;
  using wrapped = std::conditional_t<is_expected<result>, result, expected<result>>;
  try {
    if constexpr (std::is_void_v<result>) {
      work();
      return wrapped{};
    } else {
      return wrapped{work()};
    }
  } catch (...) {
    return wrapped{tl::unexpected(current_error(what))};
  }
}

} // namespace sluice::storage::sqlite
