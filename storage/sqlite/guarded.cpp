#include "storage/sqlite/guarded.hpp"

#include <sqlite3.h>

namespace sluice::storage::sqlite {

errc classify(int sqlite_code) {
  switch (sqlite_code & 0xff) { // the rest of an extended code is detail
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
  case SQLITE_PROTOCOL: // the race for the write-ahead log was lost too often
  case SQLITE_FULL:
  case SQLITE_IOERR:
  case SQLITE_CANTOPEN:
  case SQLITE_READONLY:
    return errc::unavailable;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return errc::corrupt;
  default:
    return errc::internal;
  }
}

error current_error(const std::string& what) {
  try {
    throw;
  } catch (const SQLite::Exception& e) {
    return {classify(e.getErrorCode()), "cannot " + what + ": " + e.what()};
  } catch (const unreadable_row& e) {
    return {errc::corrupt, "cannot " + what + ": " + e.what()};
  } catch (const std::exception& e) {
    return {errc::internal, "cannot " + what + ": " + e.what()};
  }
}

} // namespace sluice::storage::sqlite
