#include "storage/sqlite/connection.hpp"

#include "storage/sqlite/guarded.hpp"
#include "storage/sqlite/rewrite.hpp"

#include <spdlog/spdlog.h>
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

std::string pragma(const char* name, const std::string& value) {
  return "PRAGMA " + std::string{name} + "=" + value;
}

} // namespace

connection::connection(const place& at, access how, const store_options& options)
  : database_(at.file, open_flags(at, how), options.busy_timeout_ms, options.vfs) {
  database_.exec(pragma("cache_size", "-" + std::to_string(options.cache_kib)));
  database_.exec(pragma("mmap_size", "0")); // mapped pages would count as our memory
  if (how == access::read)
    database_.exec(pragma("query_only", "1"));
}

void connection::become_writer(const place& at, const store_options& options) {
  // Debian's default overwrites what is freed with zeros, which doubles the pages written.
  database_.exec(pragma("secure_delete", "0"));
  // A name is compared with up to sixteen others, for each task several times. What we write are
  // names of our enumerations; the checks are for other hands, and for `doctor`, and stay for both.
  database_.exec(pragma("ignore_check_constraints", "1"));
  if (at.in_memory) {
    database_.exec(pragma("journal_mode", "MEMORY"));
    return;
  }
  database_.exec(pragma("journal_mode", "WAL"));
  database_.exec(pragma("locking_mode", "NORMAL")); // others read at the same time
  database_.exec(pragma("synchronous", options.sync == durability::full ? "FULL" : "NORMAL"));
  checkpoint_pages_ = options.checkpoint_pages;
  ::sqlite3_wal_hook(
    database_.getHandle(),
    [](void* self, ::sqlite3*, const char*, int pages) {
      auto& on = *static_cast<connection*>(self);
      if (pages >= on.checkpoint_pages_)
        on.checkpoint();
      return SQLITE_OK; // the commit stands, whatever became of the checkpoint
    },
    this);
  // The log keeps its size: writing over a block that is there costs no metadata on the disk.
  database_.exec(pragma("journal_size_limit", "-1"));
}

void connection::checkpoint() {
  auto* db = database_.getHandle();
  // SQLite copies again what a failed checkpoint has copied, but not what one before it has, when a
  // reader kept that from reaching the end of the log: that was not synced either.
  int code = checkpoint_failed_ ? make_database_durable(db) : SQLITE_OK;
  if (code == SQLITE_OK)
    code = ::sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  const bool failed = code != SQLITE_OK && code != SQLITE_BUSY;
  if (failed == checkpoint_failed_)
    return;
  checkpoint_failed_ = failed;
  // A log that is still there is copied from its beginning by who opens the store next.
  ::sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, failed ? 1 : 0, nullptr);
  if (failed)
    spdlog::warn("checkpoint failed, the log grows until one succeeds cause={}",
                 ::sqlite3_errstr(code));
  else
    spdlog::info("checkpoint succeeded again");
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
