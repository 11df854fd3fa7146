// Reads a file that a task was asked to write, which may be anything by then. Called on the process
// thread after the process group is gone.
#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::executors {

struct bounded_file_problem {
  bool is_too_large = false;
  std::string why; ///< a sentence, unless it is too large
  int err = 0;     ///< errno value when it cannot be read
};

/// The file's bytes; empty when there is no file. Never blocks on what is no regular file, and
/// never reads more than the limit and a byte. `name` is what a person calls the file.
tl::expected<std::string, bounded_file_problem>
read_bounded(const std::string& path, std::string_view name, std::size_t limit_bytes);

} // namespace sluice::executors
