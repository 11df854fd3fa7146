#include "storage/sqlite/rewrite.hpp"

#include "storage/sqlite/guarded.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace sluice::storage::sqlite {
namespace {

/// Writes what a file holds over itself and syncs it. An SQLite code.
int rewrite(::sqlite3_file* file) {
  const auto& io = *file->pMethods;
  ::sqlite3_int64 size = 0;
  int code = io.xFileSize(file, &size);
  std::vector<char> buffer(64 * 1024);
  for (::sqlite3_int64 at = 0; code == SQLITE_OK && at < size;) {
    const auto part = static_cast<int>(
      std::min<::sqlite3_int64>(size - at, static_cast<::sqlite3_int64>(buffer.size())));
    code = io.xRead(file, buffer.data(), part, at);
    if (code == SQLITE_OK)
      code = io.xWrite(file, buffer.data(), part, at);
    at += part;
  }
  return code == SQLITE_OK ? io.xSync(file, SQLITE_SYNC_NORMAL) : code;
}

/// An open log, of a VFS: so that tests can put a faulty disk below.
class log_file {
public:
  log_file(::sqlite3_vfs* vfs, const char* name) : memory_(units(vfs->szOsFile)) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL;
    code_ = vfs->xOpen(vfs, name, file(), flags, &flags);
  }
  log_file(const log_file&) = delete;
  log_file& operator=(const log_file&) = delete;
  ~log_file() {
    if (file()->pMethods != nullptr)
      file()->pMethods->xClose(file());
  }
  ::sqlite3_file* file() { return reinterpret_cast<::sqlite3_file*>(memory_.data()); }
  int code() const { return code_; }

private:
  static std::size_t units(int bytes) {
    return (static_cast<std::size_t>(bytes) + sizeof(std::max_align_t) - 1)
           / sizeof(std::max_align_t);
  }

  std::vector<std::max_align_t> memory_; ///< the VFS says how much, and starts with zeros
  int code_;
};

} // namespace

expected<void> make_log_durable(const place& at, const store_options& options) {
  if (at.in_memory)
    return {};
  const auto failed = [&](int code) {
    return fail(classify(code), "cannot make the log of the store '" + at.shown
                                  + "' durable: " + ::sqlite3_errstr(code));
  };
  auto* vfs = ::sqlite3_vfs_find(options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (vfs == nullptr)
    return fail(errc::internal, "there is no VFS '" + options.vfs + "'");
  const auto name = at.file + "-wal";
  int exists = 0;
  if (const int code = vfs->xAccess(vfs, name.c_str(), SQLITE_ACCESS_EXISTS, &exists);
      code != SQLITE_OK)
    return failed(code);
  if (exists == 0)
    return {};
  log_file log{vfs, name.c_str()};
  if (const int code = log.code() == SQLITE_OK ? rewrite(log.file()) : log.code();
      code != SQLITE_OK)
    return failed(code);
  return {};
}

int make_database_durable(::sqlite3* db) {
  ::sqlite3_file* file = nullptr;
  const int code = ::sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  return code == SQLITE_OK ? rewrite(file) : code;
}

} // namespace sluice::storage::sqlite
