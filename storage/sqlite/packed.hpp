// Data of tasks as it is stored: any bytes, compressed when that is worth it. In two columns,
// `data` and `encoding`, beside the size of what was given.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::storage::sqlite {

struct packed {
  std::string data;
  const std::string& encoding; ///< `plain` or `zlib`
};
packed pack(const std::string& data);

/// The inverse. Throws `unreadable_row`, which names the table.
std::string unpack(const char* table, std::string data, const std::string& encoding,
                   std::int64_t size_bytes);

} // namespace sluice::storage::sqlite
