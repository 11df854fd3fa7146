// The files of a database past SQLite, after a sync of one has failed. The system then forgets that
// pages were not written: they read well, no later sync writes them, and a loss of power takes
// them. Writing each byte again makes the pages unwritten again, and the sync after that is told
// whether they arrive. Used on the thread that owns the connection.
#pragma once

#include "storage/sqlite/backend.hpp"

#include <sqlite3.h>

namespace sluice::storage::sqlite {

/// Makes the log that a runtime left behind durable as it reads now, if there is one. SQLite takes
/// every frame that reads well for stored, those of a failed sync too, and commits behind them. A
/// runtime that ends well leaves no log, so this costs a start after a kill one sync of some MiB.
/// @pre nobody writes to the database
/// Errors: `unavailable`.
expected<void> make_log_durable(const place& at, const store_options& options);

/// Makes the database itself durable as it reads now. An SQLite code.
/// @pre nobody else writes to it
int make_database_durable(::sqlite3* db);

} // namespace sluice::storage::sqlite
