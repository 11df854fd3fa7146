#include "storage/sqlite/guarded.hpp"

#include <catch2/catch.hpp>
#include <sqlite3.h>

using namespace sluice;
using namespace sluice::storage::sqlite;

TEST_CASE("guarded: a code says what the caller can do", "[storage][guarded]") {
  const auto [code, want] = GENERATE(table<int, errc>({
    {SQLITE_BUSY, errc::unavailable},
    {SQLITE_BUSY_SNAPSHOT, errc::unavailable},
    {SQLITE_LOCKED, errc::unavailable},
    {SQLITE_FULL, errc::unavailable},
    {SQLITE_IOERR, errc::unavailable},
    {SQLITE_IOERR_FSYNC, errc::unavailable},
    {SQLITE_CANTOPEN, errc::unavailable},
    {SQLITE_READONLY, errc::unavailable},
    {SQLITE_CORRUPT, errc::corrupt},
    {SQLITE_NOTADB, errc::corrupt},
    {SQLITE_CONSTRAINT, errc::internal},
    {SQLITE_MISUSE, errc::internal},
    {SQLITE_ERROR, errc::internal},
    {-1, errc::internal},
  }));
  CAPTURE(code);
  CHECK(classify(code) == want);
  const auto failed = guarded("do it", [&, c = code]() -> int {
    throw SQLite::Exception{"the cause", c};
  });
  REQUIRE_FALSE(failed);
  CHECK(failed.error() == error{want, "cannot do it: the cause"});
}

TEST_CASE("guarded: results pass and other exceptions become errors", "[storage][guarded]") {
  CHECK(guarded("a", [] { return 7; }) == 7);
  CHECK(guarded("b", [] {}).has_value());
  const auto own = guarded("c", []() -> expected<int> { return fail(errc::not_found, "no"); });
  CHECK(own.error() == error{errc::not_found, "no"});
  const auto row = guarded("d", []() -> int { throw unreadable_row{"bad"}; });
  CHECK(row.error().code == errc::corrupt);
  const auto other = guarded("e", []() -> int { throw std::bad_alloc{}; });
  CHECK(other.error().code == errc::internal);
}
