// Schema migrations, whatever the database: numbered texts that are applied in order, each in a
// transaction of its own, after a backup of what was there. Called while a store is opened.
#pragma once

#include "model/error.hpp"

#include <span>

namespace sluice::storage {

/// One numbered file of a backend's `migrations` directory. Append-only once released.
struct migration {
  int number = 0; ///< counts from 1 without gaps; the schema version it leads to
  const char* name = "";
  const char* sql = "";
};

/// The migrations of this program, in order.
std::span<const migration> all_migrations();

/// The schema version that these migrations end with.
int newest_schema(std::span<const migration> migrations);

/// A database that can be migrated.
class migration_target {
public:
  virtual ~migration_target() = default;
  /// 0 for an empty database.
  virtual expected<int> schema() = 0;
  /// Keeps a copy of the database as it is, named after its schema.
  virtual expected<void> back_up(int schema) = 0;
  /// Applies one migration and notes its number as the schema: both, or on an error neither.
  virtual expected<void> apply(const migration& step) = 0;
};

/// Brings the database to the newest schema; does nothing when it has that. Errors: `conflict` when
/// it has a newer one, else what the target says.
expected<void> migrate(migration_target& target, std::span<const migration> migrations);

} // namespace sluice::storage
