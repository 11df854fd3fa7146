#include "storage/migrate.hpp"

#include <spdlog/spdlog.h>

namespace sluice::storage {
namespace {

constexpr migration embedded[] = {
#include "migrations.inc"
};

} // namespace

std::span<const migration> all_migrations() {
  return embedded;
}

int newest_schema(std::span<const migration> migrations) {
  return migrations.empty() ? 0 : migrations.back().number;
}

expected<void> migrate(migration_target& target, std::span<const migration> migrations) {
  const auto schema = target.schema();
  if (!schema)
    return tl::unexpected(schema.error());
  const int newest = newest_schema(migrations);
  if (*schema > newest)
    return fail(errc::conflict, "the store has schema " + std::to_string(*schema)
                                  + ", this program knows schemas up to " + std::to_string(newest)
                                  + ": use the newer version of Sluice that wrote it");
  if (*schema == newest)
    return {};
  if (*schema > 0) {
    if (auto kept = target.back_up(*schema); !kept)
      return kept;
  }
  for (const auto& step : migrations) {
    if (step.number <= *schema)
      continue;
    if (auto applied = target.apply(step); !applied)
      return applied;
  }
  if (*schema > 0)
    spdlog::info("store migrated from={} to={}", *schema, newest);
  return {};
}

} // namespace sluice::storage
