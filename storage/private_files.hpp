// Files and directories that only their owner may read. Called while a store is opened or locked.
#pragma once

#include "model/error.hpp"

#include <filesystem>

namespace sluice::storage {

/// Makes the directory with mode 0700, parents as usual; one that exists stays as it is.
/// Errors: `invalid_argument`.
expected<void> make_private_directory(const std::filesystem::path& dir);

/// Makes an empty file with mode 0600; one that exists stays as it is. Errors: `unavailable`.
expected<void> make_private_file(const std::filesystem::path& file);

/// Waits until a file or directory is on the disk. Errors: `unavailable`.
expected<void> sync_to_disk(const std::filesystem::path& path);

} // namespace sluice::storage
