// What storage/open needs of SQLite: opening a database for writing or reading. Says nothing of
// SQLiteCpp, so that nothing outside this directory does.
#pragma once

#include "storage/migrate.hpp"
#include "storage/open.hpp"

namespace sluice::storage::sqlite {

/// Where a database is.
struct place {
  std::string file;  ///< an absolute path, or the URI of a database in memory
  std::string shown; ///< what messages call it
  bool in_memory = false;
};

/// Opens an existing file (or makes the database in memory) and migrates it to the newest of
/// `migrations`. Errors: see `open_store`.
expected<std::unique_ptr<store>> open_writer(const place& at, const store_options& options,
                                             std::span<const migration> migrations);

/// Errors: see `open_reader`; `not_found` when the database is empty.
expected<std::unique_ptr<reader>> open_reader(const place& at, const store_options& options,
                                              std::span<const migration> migrations);

} // namespace sluice::storage::sqlite
