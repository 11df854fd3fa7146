#include "storage/private_files.hpp"

#include <cerrno>
#include <system_error>
#include <tuple>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::storage {

expected<void> make_private_directory(const std::filesystem::path& dir) {
  std::error_code failed;
  if (std::filesystem::is_directory(dir, failed))
    return {};
  const auto cannot = [&](const std::string& why) {
    return fail(errc::invalid_argument,
                "cannot make the store directory '" + dir.string() + "': " + why);
  };
  // `a/b/` has an empty last part; mkdir takes it, parent_path would not.
  const auto parent = (dir.has_filename() ? dir : dir.parent_path()).parent_path();
  if (!parent.empty()) {
    std::filesystem::create_directories(parent, failed);
    if (failed)
      return cannot(failed.message());
  }
  if (::mkdir(dir.c_str(), 0700) != 0) {
    const int err = errno; // EEXIST: made meanwhile, or it is a file
    if (err != EEXIST || !std::filesystem::is_directory(dir, failed))
      return cannot(err == EEXIST ? "it is not a directory" : errno_text(err));
  }
  // A loss of power must not take the directory with all that is then synced in it. That of its
  // entries is asked for by SQLite. One that may be entered but not read cannot be synced.
  std::ignore = sync_to_disk(parent.empty() ? "." : parent);
  return {};
}

expected<void> make_private_file(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail(errc::unavailable, "cannot create '" + file.string() + "': " + errno_text(errno));
  ::close(fd);
  return {};
}

expected<void> sync_to_disk(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = fd >= 0 && ::fsync(fd) == 0;
  const int err = errno;
  if (fd >= 0)
    ::close(fd);
  if (!done)
    return fail(errc::unavailable, "cannot write '" + path.string() + "': " + errno_text(err));
  return {};
}

} // namespace sluice::storage
