#include "storage/sqlite/connection.hpp"

#include "storage/sqlite/guarded.hpp"

#include <sqlite3.h>

namespace sluice::storage::sqlite {
namespace {

int open_flags(const place& at, access how) {
  // One thread per connection: SQLite needs no mutexes of its own. A database in memory has no
  // file that could be opened read-only; query_only guards it.
  int flags = SQLite::OPEN_NOMUTEX;
  if (at.in_memory)
    return flags | SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_URI;
  return flags | (how == access::write ? SQLite::OPEN_READWRITE : SQLite::OPEN_READONLY);
}

/// Pages of the write-ahead log after which they are copied into the database: 8 MiB. Smaller logs
/// copy a hot page more often, larger ones cost disk space and reading time.
constexpr int checkpoint_pages = 2000;

std::string pragma(const char* name, const std::string& value) {
  return "PRAGMA " + std::string{name} + "=" + value;
}

} // namespace

connection::connection(const place& at, access how, const store_options& options)
  : database_(at.file, open_flags(at, how), options.busy_timeout_ms) {
  database_.exec(pragma("cache_size", "-" + std::to_string(options.cache_kib)));
  database_.exec(pragma("mmap_size", "0")); // mapped pages would count as our memory
  if (how == access::read)
    database_.exec(pragma("query_only", "1"));
}

void connection::become_writer(const place& at, const store_options& options) {
  // Debian's default overwrites what is freed with zeros, which doubles the pages written.
  database_.exec(pragma("secure_delete", "0"));
  if (at.in_memory) {
    database_.exec(pragma("journal_mode", "MEMORY"));
    return;
  }
  database_.exec(pragma("journal_mode", "WAL"));
  database_.exec(pragma("locking_mode", "NORMAL")); // others read at the same time
  database_.exec(pragma("synchronous", options.sync == durability::full ? "FULL" : "NORMAL"));
  database_.exec(pragma("wal_autocheckpoint", std::to_string(checkpoint_pages)));
  // The log keeps its size: writing over a block that is there costs no metadata on the disk.
  database_.exec(pragma("journal_size_limit", "-1"));
}

SQLite::Statement& connection::prepared(const char* sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end())
    return found->second;
  return statements_.emplace(sql, SQLite::Statement{database_, sql}).first->second;
}

transaction::transaction(connection& on) : on_(on) {
  query{on_, R"sql(BEGIN IMMEDIATE)sql"}.run();
}

transaction::~transaction() {
  // Some errors have rolled back by themselves; a rollback that fails leaves nothing to be done.
  if (sqlite3_get_autocommit(on_.database().getHandle()) == 0)
    on_.database().tryExec("ROLLBACK");
}

void transaction::commit() {
  query{on_, R"sql(COMMIT)sql"}.run();
}

} // namespace sluice::storage::sqlite
