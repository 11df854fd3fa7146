#include "storage/sqlite/packed.hpp"

#include "model/checkpoint.hpp"
#include "model/snapshot.hpp"
#include "storage/sqlite/guarded.hpp"

#include <zlib.h>

#include <algorithm>
#include <optional>

namespace sluice::storage::sqlite {
namespace {

/// Smaller ones fit in a few pages of the database anyway.
constexpr std::size_t compressed_from_bytes = std::size_t{10} << 10;
constexpr std::size_t most_bytes =
  std::max(model::most_checkpoint_bytes, model::most_snapshot_bytes);

const std::string plain = "plain", zlib = "zlib";

/// The data in zlib's form; nothing when that is no shorter.
std::optional<std::string> deflated(const std::string& data) {
  auto size = ::compressBound(data.size());
  std::string short_form(size, '\0');
  // The fastest level: the writer has others to serve.
  const int done =
    ::compress2(reinterpret_cast<Bytef*>(short_form.data()), &size,
                reinterpret_cast<const Bytef*>(data.data()), data.size(), Z_BEST_SPEED);
  if (done != Z_OK || size >= data.size())
    return std::nullopt;
  short_form.resize(size);
  return short_form;
}

} // namespace

packed pack(const std::string& data) {
  if (data.size() >= compressed_from_bytes)
    if (auto short_form = deflated(data))
      return {std::move(*short_form), zlib};
  return {data, plain};
}

std::string unpack(const char* table, std::string data, const std::string& encoding,
                   std::int64_t size_bytes) {
  if (encoding != zlib)
    return data;
  if (size_bytes < 0 || static_cast<std::size_t>(size_bytes) > most_bytes)
    throw unreadable_row{std::string{table} + ".size_bytes is " + std::to_string(size_bytes)};
  auto size = static_cast<uLongf>(size_bytes);
  std::string whole(size, '\0');
  const int done = ::uncompress(reinterpret_cast<Bytef*>(whole.data()), &size,
                                reinterpret_cast<const Bytef*>(data.data()), data.size());
  if (done != Z_OK || size != whole.size())
    throw unreadable_row{std::string{table} + ".data cannot be decompressed"};
  return whole;
}

} // namespace sluice::storage::sqlite
