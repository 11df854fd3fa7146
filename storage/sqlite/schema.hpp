// The schema version of an SQLite database: reading it, backing up, migrating. Called while a
// store is opened.
#pragma once

#include "storage/migrate.hpp"
#include "storage/sqlite/connection.hpp"

namespace sluice::storage::sqlite {

/// Beside the database: `sluice.db.backup-1` for the state before schema 1 was left.
std::string backup_file(const place& at, int schema);

class schema_target final : public migration_target {
public:
  schema_target(connection& db, const place& at) : db_(db), at_(at) {}

  /// Errors: `corrupt` when it is no database or not one of ours.
  expected<int> schema() override;
  /// A compact copy, complete on the disk before it has its name; replaces an older one. Of a
  /// database in memory there is nothing to keep.
  expected<void> back_up(int schema) override;
  expected<void> apply(const migration& step) override;

  /// Draws the store id when there is none yet.
  expected<void> ensure_store_id();

private:
  connection& db_;
  const place& at_;
};

} // namespace sluice::storage::sqlite
