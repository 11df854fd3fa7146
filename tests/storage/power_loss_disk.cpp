#include "tests/storage/power_loss_disk.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace sluice::storage {
namespace {

constexpr std::size_t sector_bytes = 512;

class dice {
public:
  explicit dice(std::uint64_t seed) : engine_(seed) {}
  bool chance(double p) { return std::uniform_real_distribution<double>{0, 1}(engine_) < p; }
  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>{0, end - 1}(engine_);
  }
  char byte() { return static_cast<char>(engine_() & 0xff); }

private:
  std::mt19937_64 engine_;
};

struct change {
  enum kind : std::uint8_t { write, truncate } what;
  std::size_t offset;
  std::string bytes; ///< of a write
};

struct inode {
  std::string path;
  std::string durable;          ///< what the disk surely holds
  std::vector<change> unsynced; ///< in order
};

void store_bytes(std::string& image, std::size_t offset, std::string_view bytes, dice& random) {
  if (image.size() < offset) {
    const auto from = image.size();
    image.resize(offset);
    if (random.chance(0.5))
      std::generate(image.begin() + static_cast<std::ptrdiff_t>(from), image.end(),
                    [&] { return random.byte(); });
  }
  if (image.size() < offset + bytes.size())
    image.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), image.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// Stores each sector of a write with the probability `kept`, some of them torn.
void store_part(std::string& image, const change& written, double kept, dice& random) {
  const std::string_view bytes{written.bytes};
  for (std::size_t done = 0; done < bytes.size();) {
    const auto offset = written.offset + done;
    const auto size = std::min(sector_bytes - offset % sector_bytes, bytes.size() - done);
    const auto torn = random.chance(0.1) ? random.below(size) : size;
    if (random.chance(kept))
      store_bytes(image, offset, bytes.substr(done, torn), random);
    done += size;
  }
}

enum class cause : std::uint8_t { power_loss, failed_sync };

/// Makes a random part of what is unsynced durable and forgets the rest. A failed sync is one of
/// data: sizes are in the journal of the filesystem, which is still to be written.
void settle_randomly(inode& file, cause why, dice& random) {
  constexpr double kept_of_all[] = {0, 0.1, 0.5, 0.9, 1};
  const auto kept = kept_of_all[random.below(std::size(kept_of_all))];
  for (const auto& c : file.unsynced) {
    if (c.what == change::write)
      store_part(file.durable, c, kept, random);
    else if (why == cause::failed_sync || random.chance(kept))
      file.durable.resize(c.offset);
  }
  file.unsynced.clear();
}

void settle(inode& file, dice& random) {
  for (const auto& c : file.unsynced) {
    if (c.what == change::write)
      store_bytes(file.durable, c.offset, c.bytes, random);
    else
      file.durable.resize(c.offset);
  }
  file.unsynced.clear();
}

std::string text_of_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

} // namespace

class power_loss_disk::impl {
public:
  explicit impl(std::uint64_t seed);
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  ~impl() { ::sqlite3_vfs_unregister(&vfs_); }

  mutable std::mutex mutex;
  std::string name;
  bool stopped = false;
  int calls_left = 0; ///< 0: no end
  double sync_failures = 0;
  int failed_syncs = 0;

  void power_on();

private:
  /// What SQLite holds for an open file; the default VFS's own follows it in memory.
  struct handle {
    ::sqlite3_file base;
    impl* disk;
    inode* of;
    bool syncs_directory; ///< at its next sync, as the default VFS does for a new log
  };

  static handle& ours(::sqlite3_file* file) { return *reinterpret_cast<handle*>(file); }
  static ::sqlite3_file* real(::sqlite3_file* file) {
    return reinterpret_cast<::sqlite3_file*>(reinterpret_cast<handle*>(file) + 1);
  }
  static const ::sqlite3_io_methods* io(::sqlite3_file* file) { return real(file)->pMethods; }
  static impl& of(::sqlite3_vfs* vfs) { return *static_cast<impl*>(vfs->pAppData); }

  static int open(::sqlite3_vfs* vfs, const char* name, ::sqlite3_file* file, int flags, int* out);
  static int remove(::sqlite3_vfs* vfs, const char* name, int sync_directory);
  static int access(::sqlite3_vfs* vfs, const char* name, int flags, int* out);
  static int write(::sqlite3_file* file, const void* data, int size, ::sqlite3_int64 offset);
  static int truncate(::sqlite3_file* file, ::sqlite3_int64 size);
  static int sync(::sqlite3_file* file, int flags);
  static const ::sqlite3_io_methods methods;

  /// Whether a call that changes the disk has an effect, and whether it is answered: the one in
  /// which the disk stops has an effect that nobody hears of.
  enum class fate : std::uint8_t { answered, unanswered, refused };
  fate next_fate();
  /// The file behind a name, made when there is none.
  inode* find_or_make(const std::string& path, bool exists);
  void sync_directory_of(const std::string& path);

  ::sqlite3_vfs* const default_ = ::sqlite3_vfs_find(nullptr);
  ::sqlite3_vfs vfs_ = *default_;
  dice random_;
  std::vector<std::unique_ptr<inode>> inodes_;
  /// What each name stood for since its directory was synced: surely the first on the disk, and
  /// the last for who looks now. Null: there is no such file.
  std::map<std::string, std::vector<inode*>> names_;
};

power_loss_disk::impl::impl(std::uint64_t seed) : random_(seed) {
  static std::atomic<int> count{0};
  name = "power-loss-" + std::to_string(++count);
  vfs_.szOsFile += static_cast<int>(sizeof(handle));
  vfs_.zName = name.c_str();
  vfs_.pNext = nullptr;
  vfs_.pAppData = this;
  vfs_.xOpen = open;
  vfs_.xDelete = remove;
  vfs_.xAccess = access;
  if (::sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK)
    throw std::runtime_error{"cannot register the VFS"};
}

power_loss_disk::impl::fate power_loss_disk::impl::next_fate() {
  if (stopped)
    return fate::refused;
  stopped = calls_left > 0 && --calls_left == 0;
  return stopped ? fate::unanswered : fate::answered;
}

inode* power_loss_disk::impl::find_or_make(const std::string& path, bool exists) {
  auto& history = names_[path];
  if (!history.empty() && history.back() != nullptr)
    return history.back();
  auto& made = inodes_.emplace_back(std::make_unique<inode>());
  made->path = path;
  if (exists) // from before this disk; its maker has synced it
    made->durable = text_of_file(path);
  else if (history.empty())
    history.push_back(nullptr);
  history.push_back(made.get());
  return made.get();
}

void power_loss_disk::impl::sync_directory_of(const std::string& path) {
  const auto directory = std::filesystem::path{path}.parent_path();
  for (auto& [name_in_it, history] : names_)
    if (std::filesystem::path{name_in_it}.parent_path() == directory)
      history = {history.back()};
}

void power_loss_disk::impl::power_on() {
  for (auto& [path, history] : names_) {
    auto* kept = history[random_.below(history.size())];
    history = {kept};
    if (kept == nullptr) {
      std::filesystem::remove(path);
      continue;
    }
    settle_randomly(*kept, cause::power_loss, random_);
    std::ofstream{path, std::ios::binary | std::ios::trunc} << kept->durable;
  }
}

int power_loss_disk::impl::open(::sqlite3_vfs* vfs, const char* name, ::sqlite3_file* file,
                                int flags, int* out) {
  auto& disk = of(vfs);
  const std::lock_guard lock{disk.mutex};
  auto& opened = ours(file);
  opened = {};
  int exists = 1;
  if (name != nullptr)
    disk.default_->xAccess(disk.default_, name, SQLITE_ACCESS_EXISTS, &exists);
  // Only one that makes a file changes the disk; a temporary one is nobody's loss.
  const bool makes = exists == 0 && (flags & SQLITE_OPEN_CREATE) != 0;
  if (disk.stopped || (makes && disk.next_fate() != fate::answered))
    return SQLITE_CANTOPEN;
  const int code = disk.default_->xOpen(disk.default_, name, real(file), flags, out);
  if (code != SQLITE_OK)
    return code;
  constexpr int logs = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;
  opened.disk = &disk;
  opened.of = name == nullptr ? nullptr : disk.find_or_make(name, exists != 0);
  opened.syncs_directory = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & logs) != 0;
  opened.base.pMethods = &methods;
  return SQLITE_OK;
}

int power_loss_disk::impl::remove(::sqlite3_vfs* vfs, const char* name, int sync_directory) {
  auto& disk = of(vfs);
  const std::lock_guard lock{disk.mutex};
  const auto how = disk.next_fate();
  if (how == fate::refused)
    return SQLITE_IOERR_DELETE;
  const int code = disk.default_->xDelete(disk.default_, name, 0);
  if (auto known = disk.names_.find(name); code == SQLITE_OK && known != disk.names_.end())
    known->second.push_back(nullptr);
  if (how == fate::unanswered)
    return SQLITE_IOERR_DELETE;
  if (code == SQLITE_OK && sync_directory != 0)
    disk.sync_directory_of(name);
  return code;
}

int power_loss_disk::impl::access(::sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  auto& disk = of(vfs);
  const std::lock_guard lock{disk.mutex};
  return disk.stopped ? SQLITE_IOERR_ACCESS
                      : disk.default_->xAccess(disk.default_, name, flags, out);
}

int power_loss_disk::impl::write(::sqlite3_file* file, const void* data, int size,
                                 ::sqlite3_int64 offset) {
  auto& disk = *ours(file).disk;
  const std::lock_guard lock{disk.mutex};
  const auto how = disk.next_fate();
  if (how == fate::refused)
    return SQLITE_IOERR_WRITE;
  const int code = io(file)->xWrite(real(file), data, size, offset);
  if (auto* written = ours(file).of; code == SQLITE_OK && written != nullptr)
    written->unsynced.push_back({change::write,
                                 static_cast<std::size_t>(offset),
                                 {static_cast<const char*>(data), static_cast<std::size_t>(size)}});
  return how == fate::answered ? code : SQLITE_IOERR_WRITE;
}

int power_loss_disk::impl::truncate(::sqlite3_file* file, ::sqlite3_int64 size) {
  auto& disk = *ours(file).disk;
  const std::lock_guard lock{disk.mutex};
  const auto how = disk.next_fate();
  if (how == fate::refused)
    return SQLITE_IOERR_TRUNCATE;
  const int code = io(file)->xTruncate(real(file), size);
  if (auto* shortened = ours(file).of; code == SQLITE_OK && shortened != nullptr)
    shortened->unsynced.push_back({change::truncate, static_cast<std::size_t>(size), {}});
  return how == fate::answered ? code : SQLITE_IOERR_TRUNCATE;
}

/// The real file is not synced: this disk is the only one that loses power.
int power_loss_disk::impl::sync(::sqlite3_file* file, int) {
  auto& synced = ours(file);
  auto& disk = *synced.disk;
  const std::lock_guard lock{disk.mutex};
  if (disk.next_fate() != fate::answered) // stopped before it began: what is unsynced may survive
    return SQLITE_IOERR_FSYNC;
  if (synced.of == nullptr)
    return SQLITE_OK;
  if (disk.random_.chance(disk.sync_failures)) {
    ++disk.failed_syncs;
    settle_randomly(*synced.of, cause::failed_sync, disk.random_);
    return SQLITE_IOERR_FSYNC;
  }
  settle(*synced.of, disk.random_);
  if (std::exchange(synced.syncs_directory, false))
    disk.sync_directory_of(synced.of->path);
  return SQLITE_OK;
}

// Locks and shared memory are the machine's, not the disk's, and are passed through; so is closing,
// or the process would keep what it has open. mmap_size is 0: nothing asks for mapped pages.
const ::sqlite3_io_methods power_loss_disk::impl::methods = {
  .iVersion = 2,
  .xClose = [](::sqlite3_file* file) { return io(file)->xClose(real(file)); },
  .xRead =
    [](::sqlite3_file* file, void* data, int size, ::sqlite3_int64 offset) {
      auto& disk = *ours(file).disk;
      const std::lock_guard lock{disk.mutex};
      return disk.stopped ? SQLITE_IOERR_READ : io(file)->xRead(real(file), data, size, offset);
    },
  .xWrite = write,
  .xTruncate = truncate,
  .xSync = sync,
  .xFileSize =
    [](::sqlite3_file* file, ::sqlite3_int64* size) {
      auto& disk = *ours(file).disk;
      const std::lock_guard lock{disk.mutex};
      return disk.stopped ? SQLITE_IOERR_FSTAT : io(file)->xFileSize(real(file), size);
    },
  .xLock = [](::sqlite3_file* file, int how) { return io(file)->xLock(real(file), how); },
  .xUnlock = [](::sqlite3_file* file, int how) { return io(file)->xUnlock(real(file), how); },
  .xCheckReservedLock = [](::sqlite3_file* file,
                           int* held) { return io(file)->xCheckReservedLock(real(file), held); },
  .xFileControl = [](::sqlite3_file* file, int what,
                     void* argument) { return io(file)->xFileControl(real(file), what, argument); },
  .xSectorSize = [](::sqlite3_file* file) { return io(file)->xSectorSize(real(file)); },
  .xDeviceCharacteristics =
    [](::sqlite3_file* file) { return io(file)->xDeviceCharacteristics(real(file)); },
  .xShmMap =
    [](::sqlite3_file* file, int region, int size, int extend, void volatile** at) {
      return io(file)->xShmMap(real(file), region, size, extend, at);
    },
  .xShmLock = [](::sqlite3_file* file, int offset, int n,
                 int flags) { return io(file)->xShmLock(real(file), offset, n, flags); },
  .xShmBarrier = [](::sqlite3_file* file) { io(file)->xShmBarrier(real(file)); },
  .xShmUnmap = [](::sqlite3_file* file,
                  int remove) { return io(file)->xShmUnmap(real(file), remove); },
  .xFetch = nullptr,
  .xUnfetch = nullptr,
};

power_loss_disk::power_loss_disk(std::uint64_t seed) : impl_(std::make_unique<impl>(seed)) {}
power_loss_disk::~power_loss_disk() = default;

const std::string& power_loss_disk::vfs() const {
  return impl_->name;
}

void power_loss_disk::stop_after(int calls) {
  const std::lock_guard lock{impl_->mutex};
  impl_->calls_left = calls;
}

bool power_loss_disk::is_stopped() const {
  const std::lock_guard lock{impl_->mutex};
  return impl_->stopped;
}

void power_loss_disk::fail_syncs(double chance) {
  const std::lock_guard lock{impl_->mutex};
  impl_->sync_failures = chance;
}

int power_loss_disk::failed_syncs() const {
  const std::lock_guard lock{impl_->mutex};
  return impl_->failed_syncs;
}

void power_loss_disk::power_on() {
  const std::lock_guard lock{impl_->mutex};
  impl_->power_on();
  impl_->stopped = false;
  impl_->calls_left = 0;
}

void power_loss_disk::start_again() {
  const std::lock_guard lock{impl_->mutex};
  impl_->stopped = false;
  impl_->calls_left = 0;
}

} // namespace sluice::storage
