// Reading the log files of attempts.
#pragma once

#include "model/error.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace sluice::cli {

struct log_tail {
  std::vector<std::string> lines; ///< printable, oldest first
  bool is_whole = true;           ///< whether there is nothing before them
};

/// The last lines of a log; of a long one only the end is read. Empty when there is no log.
log_tail read_tail(const std::filesystem::path& log, std::size_t most_lines);

/// A log read from the front as it grows.
class log_reader {
public:
  explicit log_reader(std::filesystem::path log) : log_(std::move(log)) {}
  log_reader(log_reader&& other) noexcept;
  log_reader& operator=(log_reader&& other) noexcept;
  ~log_reader();

  /// Opens the file when it is there; false while it is not. Errors: `unavailable`.
  expected<bool> open();
  /// The next bytes, at most 64 KiB; empty at the present end.
  expected<std::string> read();
  const std::filesystem::path& path() const { return log_; }

private:
  std::filesystem::path log_;
  int fd_ = -1;
};

} // namespace sluice::cli
