#include "storage/open.hpp"

#include "storage/private_files.hpp"
#include "storage/sqlite/backend.hpp"

#include <system_error>

namespace sluice::storage {
namespace {

/// A path that starts with `file:` would be taken for a URI; an absolute one never does.
sqlite::place place_of(const store_paths& paths) {
  std::error_code failed;
  auto file = std::filesystem::absolute(paths.database(), failed);
  if (failed)
    file = paths.database();
  return {.file = file.string(), .shown = paths.database().string(), .in_memory = false};
}

sqlite::place place_of(const std::string& name) {
  constexpr auto digits = "0123456789ABCDEF";
  std::string escaped;
  for (const unsigned char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                       || c == '-' || c == '_' || c == '.';
    if (plain)
      escaped += static_cast<char>(c);
    else
      escaped += {'%', digits[c >> 4], digits[c & 15]};
  }
  // The leading slash makes it one database for all connections of the process.
  return {.file = "file:/" + escaped + "?vfs=memdb", .shown = name, .in_memory = true};
}

} // namespace

expected<std::unique_ptr<store>> open_store(const store_paths& paths,
                                            const store_options& options) {
  if (auto made = make_private_directory(paths.dir); !made)
    return tl::unexpected(made.error());
  // Made here and not by SQLite, so that nobody can read it even for a moment; its other files
  // take over the mode.
  if (auto made = make_private_file(paths.database()); !made)
    return tl::unexpected(made.error());
  return sqlite::open_writer(place_of(paths), options, all_migrations());
}

expected<std::unique_ptr<reader>> open_reader(const store_paths& paths,
                                              const store_options& options) {
  std::error_code failed;
  if (!std::filesystem::exists(paths.database(), failed)
      && (!failed || failed == std::errc::not_a_directory))
    return fail(errc::not_found, "there is no store in '" + paths.dir.string() + "'");
  return sqlite::open_reader(place_of(paths), options, all_migrations());
}

expected<std::unique_ptr<store>> open_store_in_memory(const std::string& name) {
  return sqlite::open_writer(place_of(name), {}, all_migrations());
}

expected<std::unique_ptr<reader>> open_reader_in_memory(const std::string& name) {
  return sqlite::open_reader(place_of(name), {}, all_migrations());
}

} // namespace sluice::storage
