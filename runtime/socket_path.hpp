// Where the socket of a store's runtime is: for the runtime that makes it, and for whoever looks
// for it. Plain functions, any thread.
#pragma once

#include "model/error.hpp"
#include "storage/open.hpp"

#include <filesystem>

namespace sluice::runtime {

/// `sock` in the store's directory. Where that is too long for the address of a socket, a name made
/// from it in `user_dir` ($XDG_RUNTIME_DIR). Errors: `unavailable` when that is no way out either.
expected<std::filesystem::path> socket_path(const storage::store_paths& paths,
                                            const std::filesystem::path& user_dir);

/// The socket of the runtime that holds the store now. Errors: `unavailable` when nobody holds it,
/// or who does has no socket.
expected<std::filesystem::path> find_socket(const std::filesystem::path& store_dir);

} // namespace sluice::runtime
