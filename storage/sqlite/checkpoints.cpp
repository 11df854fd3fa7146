#include "storage/sqlite/guarded.hpp"
#include "storage/sqlite/tables.hpp"

#include <zlib.h>

namespace sluice::storage::sqlite {
namespace {

/// Smaller ones fit in a few pages of the database anyway.
constexpr std::size_t compressed_from_bytes = std::size_t{10} << 10;

/// The data in zlib's form; nothing when that is no shorter.
std::optional<std::string> deflated(const std::string& data) {
  auto size = ::compressBound(data.size());
  std::string packed(size, '\0');
  // The fastest level: the writer has others to serve.
  const int done =
    ::compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                reinterpret_cast<const Bytef*>(data.data()), data.size(), Z_BEST_SPEED);
  if (done != Z_OK || size >= data.size())
    return std::nullopt;
  packed.resize(size);
  return packed;
}

std::string inflated(const std::string& packed, std::int64_t size_bytes) {
  if (size_bytes < 0 || static_cast<std::size_t>(size_bytes) > model::most_checkpoint_bytes)
    throw unreadable_row{"checkpoint.size_bytes is " + std::to_string(size_bytes)};
  auto size = static_cast<uLongf>(size_bytes);
  std::string data(size, '\0');
  const int done = ::uncompress(reinterpret_cast<Bytef*>(data.data()), &size,
                                reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  if (done != Z_OK || size != data.size())
    throw unreadable_row{"checkpoint.data cannot be decompressed"};
  return data;
}

} // namespace

void upsert_checkpoint(connection& db, const model::checkpoint_saved& r) {
  constexpr auto sql = R"sql(
    INSERT INTO checkpoint (run_no, task_idx, attempt, token, data, encoding, size_bytes, saved_us)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (run_no, task_idx) DO UPDATE SET
      attempt = excluded.attempt, token = excluded.token, data = excluded.data,
      encoding = excluded.encoding, size_bytes = excluded.size_bytes, saved_us = excluded.saved_us
  )sql";
  static const std::string plain = "plain", zlib = "zlib";
  const auto& data = r.what->data;
  const auto packed = data.size() >= compressed_from_bytes ? deflated(data) : std::nullopt;
  query{db,
        sql,
        r.key.run_no.value,
        r.key.task_idx,
        r.key.attempt,
        r.what->token,
        blob{packed ? *packed : data},
        packed ? zlib : plain,
        data.size(),
        r.at}
    .run();
}

void delete_checkpoint(connection& db, model::task_key task) {
  query{db, R"sql(DELETE FROM checkpoint WHERE run_no = ?1 AND task_idx = ?2)sql",
        task.run_no.value, task.task_idx}
    .run();
}

std::optional<checkpoint_row> select_checkpoint(connection& db, model::task_key task) {
  constexpr auto sql = R"sql(
    SELECT attempt, token, data, encoding, size_bytes, saved_us
      FROM checkpoint WHERE run_no = ?1 AND task_idx = ?2
  )sql";
  query row{db, sql, task.run_no.value, task.task_idx};
  if (!row.next())
    return std::nullopt;
  checkpoint_row found;
  found.attempt = static_cast<std::uint32_t>(row.integer(0));
  found.what.token = row.text(1);
  found.what.data = row.text(2); // any bytes
  if (row.text(3) == "zlib")
    found.what.data = inflated(found.what.data, row.integer(4));
  found.saved_at = model::from_us(row.integer(5));
  return found;
}

} // namespace sluice::storage::sqlite
