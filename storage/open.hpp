// Opening a store: the files of a store directory, the lock that makes one runtime its owner,
// migrations. Called at start, before any actor exists.
#pragma once

#include "storage/store.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace sluice::storage {

/// Paths below a store directory (`--store DIR`).
struct store_paths {
  std::filesystem::path dir;

  std::filesystem::path database() const { return dir / "sluice.db"; }
  std::filesystem::path lock() const { return dir / "lock"; }
  std::filesystem::path socket() const { return dir / "sock"; }
  std::filesystem::path guard_lock() const { return dir / "guard.lock"; }
  std::filesystem::path logs() const { return dir / "logs"; }
  std::filesystem::path work() const { return dir / "work"; }
};

/// `full`: an acknowledged commit survives power loss. `normal`: it survives the death of the
/// process, not of the machine.
enum class durability : std::uint8_t { full, normal };

struct store_options {
  durability sync = durability::full;
  int cache_kib = 512;
  int busy_timeout_ms = 5000;
  /// Pages of the write-ahead log after which they are copied into the database: 8 MiB. Smaller
  /// logs copy a hot page more often, larger ones cost disk space and reading time.
  int checkpoint_pages = 2000;
  /// The SQLite VFS to use, by its name; empty: the default one. For tests, which put a faulty disk
  /// below the store.
  std::string vfs;
};

/// Who holds a store: written into its lock file.
struct lock_holder {
  int pid = 0; ///< filled in by `acquire`
  std::string command;
  std::vector<model::run_no> resumed; ///< unfinished runs that it took up
  std::string socket;                 ///< where its API listens; empty: it has none
};

/// Whether a filesystem type, as statfs tells it, is one whose files other machines change too.
bool is_network_filesystem(std::int64_t type);

/// Held for as long as the object lives; the kernel releases it when the process dies.
class store_lock {
public:
  /// Creates the directory (0700) when missing. Errors: `conflict` when another process holds it
  /// (names process, command and directory), `invalid_argument` when the directory cannot be made
  /// or lies on a network filesystem, `unavailable` when the disk is full.
  static expected<store_lock> acquire(const store_paths& paths, lock_holder about);
  /// Who holds the store now; nothing when nobody does or there is no store.
  static std::optional<lock_holder> holder(const store_paths& paths);

  store_lock(store_lock&& other) noexcept;
  store_lock& operator=(store_lock&& other) noexcept;
  ~store_lock();

private:
  explicit store_lock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// Opens for writing, creates the database when missing, migrates an older one (after a backup
/// beside it). @pre the caller holds the lock. Errors: `conflict` for a schema newer than this
/// program, `corrupt`, `unavailable`.
expected<std::unique_ptr<store>> open_store(const store_paths& paths,
                                            const store_options& options = {});

/// Opens for reading, at any time, with or without a runtime. Errors: `not_found` when there is no
/// store, `conflict` for another schema version (says what to run).
expected<std::unique_ptr<reader>> open_reader(const store_paths& paths,
                                              const store_options& options = {});

/// A database in memory, shared by all that open the same name in this process; it lives as long
/// as one of them does.
expected<std::unique_ptr<store>> open_store_in_memory(const std::string& name);
expected<std::unique_ptr<reader>> open_reader_in_memory(const std::string& name);

} // namespace sluice::storage
