#include "storage/sqlite/backend.hpp"

#include "storage/sqlite/guarded.hpp"
#include "storage/sqlite/reader.hpp"
#include "storage/sqlite/rewrite.hpp"
#include "storage/sqlite/schema.hpp"
#include "storage/sqlite/writer.hpp"

#include <sqlite3.h>

namespace sluice::storage::sqlite {
namespace {

/// SQLite counts the memory of the process under one lock, at each of some 25 allocations for a
/// task; nobody asks for it. Refused when somebody has used SQLite before, and then it counts.
void count_no_memory() {
  [[maybe_unused]] static const int done = ::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

expected<std::unique_ptr<connection>> connect(const place& at, access how,
                                              const store_options& options) {
  return guarded("open the store '" + at.shown + "'",
                 [&] { return std::make_unique<connection>(at, how, options); });
}

/// A damaged store needs a person: says what can be done.
error with_advice(error e) {
  if (e.code == errc::corrupt)
    e.message += "; keep the file, restore a backup or use another directory with --store DIR";
  return e;
}

expected<void> bring_up(connection& db, const place& at, const store_options& options,
                        std::span<const migration> migrations) {
  schema_target target{db, at};
  // Looked at before anything is set, because what is not ours must stay as it is.
  const auto schema = target.schema();
  if (!schema)
    return tl::unexpected(schema.error());
  if (*schema <= newest_schema(migrations)) {
    auto prepared = guarded("open the store '" + at.shown + "' for writing",
                            [&] { db.become_writer(at, options); });
    if (!prepared)
      return prepared;
  }
  if (auto migrated = migrate(target, migrations); !migrated)
    return migrated;
  return target.ensure_store_id();
}

} // namespace

expected<std::unique_ptr<store>> open_writer(const place& at, const store_options& options,
                                             std::span<const migration> migrations) {
  count_no_memory();
  if (auto durable = make_log_durable(at, options); !durable)
    return tl::unexpected(durable.error());
  auto db = connect(at, access::write, options);
  if (!db)
    return tl::unexpected(with_advice(db.error()));
  if (auto ready = bring_up(**db, at, options, migrations); !ready)
    return tl::unexpected(with_advice(ready.error()));
  auto opened = std::make_unique<writer>(std::move(*db));
  if (auto started = opened->start(); !started)
    return tl::unexpected(with_advice(started.error()));
  return opened;
}

expected<std::unique_ptr<reader>> open_reader(const place& at, const store_options& options,
                                              std::span<const migration> migrations) {
  auto db = connect(at, access::read, options);
  if (!db)
    return tl::unexpected(with_advice(db.error()));
  const auto schema = schema_target{**db, at}.schema();
  if (!schema)
    return tl::unexpected(with_advice(schema.error()));
  if (*schema == 0)
    return fail(errc::not_found, "the store '" + at.shown + "' is empty");
  const int newest = newest_schema(migrations);
  if (*schema != newest)
    return fail(errc::conflict,
                "the store '" + at.shown + "' has schema " + std::to_string(*schema)
                  + ", this program reads schema " + std::to_string(newest)
                  + (*schema < newest
                       ? ": run a workflow in it once with this program, which migrates it"
                       : ": use the newer version of Sluice that wrote it"));
  return std::make_unique<sqlite_reader>(std::move(*db));
}

} // namespace sluice::storage::sqlite
