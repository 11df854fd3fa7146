#include "runtime/socket_path.hpp"

#include <sodium.h>

#include <array>
#include <string>

#include <sys/un.h>

namespace sluice::runtime {
namespace {

/// The address has to hold the path and a NUL.
bool fits(const std::filesystem::path& path) {
  return path.native().size() < sizeof(sockaddr_un::sun_path);
}

/// 16 hex digits that stand for a directory.
std::string digest_of(const std::filesystem::path& dir) {
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest{};
  const auto& text = dir.native();
  ::crypto_generichash(digest.data(), digest.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr,
                       0);
  std::array<char, 17> hex{};
  ::sodium_bin2hex(hex.data(), hex.size(), digest.data(), 8);
  return hex.data();
}

} // namespace

expected<std::filesystem::path> socket_path(const storage::store_paths& paths,
                                            const std::filesystem::path& user_dir) {
  if (auto beside = paths.socket(); fits(beside))
    return beside;
  const auto too_long = "the path '" + paths.socket().string() + "' is too long for a socket";
  if (user_dir.empty())
    return fail(errc::unavailable, too_long + ", and XDG_RUNTIME_DIR is not set");
  if (auto other = user_dir / ("sluice-" + digest_of(paths.dir) + ".sock"); fits(other))
    return other;
  return fail(errc::unavailable, too_long + ", and so is one in XDG_RUNTIME_DIR");
}

expected<std::filesystem::path> find_socket(const std::filesystem::path& store_dir) {
  const auto holder = storage::store_lock::holder({store_dir});
  if (!holder)
    return fail(errc::unavailable, "no runtime holds the store '" + store_dir.string() + "'");
  if (holder->socket.empty())
    return fail(errc::unavailable, "the runtime that holds the store '" + store_dir.string()
                                     + "' (process " + std::to_string(holder->pid)
                                     + ") has no socket");
  return std::filesystem::path{holder->socket};
}

} // namespace sluice::runtime
