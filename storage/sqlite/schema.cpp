#include "storage/sqlite/schema.hpp"

#include "storage/private_files.hpp"
#include "storage/sqlite/guarded.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include <sys/random.h>

namespace sluice::storage::sqlite {
namespace {

constexpr auto not_ours = "it is a database, but not one of Sluice";

int parse_schema(const std::string& text) {
  int schema = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), schema);
  if (failed != std::errc{} || end != text.data() + text.size() || schema < 1)
    throw unreadable_row{"meta.schema_version is '" + text + "'"};
  return schema;
}

int read_schema(connection& db) {
  {
    constexpr auto sql = R"sql(
      SELECT count(*), coalesce(sum(type = 'table' AND name = 'meta'), 0) FROM sqlite_schema
    )sql";
    query tables{db, sql};
    tables.next();
    if (tables.integer(0) == 0)
      return 0;
    if (tables.integer(1) == 0)
      throw unreadable_row{not_ours};
  }
  query row{db, R"sql(SELECT value FROM meta WHERE key = 'schema_version')sql"};
  if (!row.next())
    throw unreadable_row{not_ours};
  return parse_schema(row.text(0));
}

/// 128 random bits in hex.
expected<std::string> draw_id() {
  std::array<unsigned char, 16> bits;
  if (::getrandom(bits.data(), bits.size(), 0) != static_cast<ssize_t>(bits.size()))
    return fail(errc::unavailable, "cannot draw a store id: " + errno_text(errno));
  constexpr auto digits = "0123456789abcdef";
  std::string id;
  for (const auto byte : bits) {
    id += digits[byte >> 4];
    id += digits[byte & 15];
  }
  return id;
}

} // namespace

std::string backup_file(const place& at, int schema) {
  return at.file + ".backup-" + std::to_string(schema);
}

expected<int> schema_target::schema() {
  return guarded("read the store '" + at_.shown + "'", [&] { return read_schema(db_); });
}

expected<void> schema_target::back_up(int schema) {
  if (at_.in_memory)
    return {};
  const auto final_name = backup_file(at_, schema);
  const auto unfinished = final_name + ".part";
  std::error_code failed;
  std::filesystem::remove(unfinished, failed);
  if (auto made = make_private_file(unfinished); !made)
    return made;
  auto copied = guarded("back up the store to '" + unfinished + "'", [&] {
    query{db_, R"sql(VACUUM INTO ?1)sql", unfinished}.run();
  });
  if (!copied)
    return copied;
  if (auto synced = sync_to_disk(unfinished); !synced)
    return synced;
  std::filesystem::rename(unfinished, final_name, failed);
  if (failed)
    return fail(errc::unavailable,
                "cannot back up the store to '" + final_name + "': " + failed.message());
  return sync_to_disk(std::filesystem::path{final_name}.parent_path());
}

expected<void> schema_target::apply(const migration& step) {
  return guarded("bring the store '" + at_.shown + "' to schema " + step.name, [&] {
    constexpr auto note = R"sql(
      INSERT INTO meta (key, value) VALUES ('schema_version', ?1)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value
    )sql";
    transaction all{db_};
    db_.database().exec(step.sql);
    query{db_, note, std::to_string(step.number)}.run();
    all.commit();
  });
}

expected<void> schema_target::ensure_store_id() {
  const auto id = draw_id();
  if (!id)
    return tl::unexpected(id.error());
  return guarded("name the store '" + at_.shown + "'", [&] {
    query{db_, R"sql(INSERT OR IGNORE INTO meta (key, value) VALUES ('store_id', ?1))sql", *id}
      .run();
  });
}

} // namespace sluice::storage::sqlite
