#include "executors/cgroup.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::executors {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view group_prefix = "sluice.";
constexpr const char* own_leaf = "runtime";        // where this process itself goes
constexpr std::int64_t cpu_period_us = 100'000;    // the kernel's default
constexpr std::int64_t least_cpu_quota_us = 1'000; // the kernel refuses less

std::string text_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

/// 0 or an errno value. The kernel takes what is written to such a file in one piece.
int put(const fs::path& file, std::string_view text) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return errno;
  const int err = ::write(fd, text.data(), text.size()) < 0 ? errno : 0;
  ::close(fd);
  return err;
}

bool has_word(const std::string& text, std::string_view word) {
  std::istringstream in{text};
  for (std::string w; in >> w;)
    if (w == word)
      return true;
  return false;
}

/// mountinfo has spaces and the like in octal. Source: proc(5).
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\\' && i + 3 < text.size()) {
      out +=
        static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  return out;
}

/// The root of the whole hierarchy, which no rules hold for, has no type.
bool is_root(const fs::path& group) {
  return ::access((group / "cgroup.type").c_str(), F_OK) != 0;
}

void kill_all_in(const fs::path& group) {
  if (put(group / "cgroup.kill", "1") == 0)
    return;
  std::ifstream members{group / "cgroup.procs"}; // before Linux 5.14
  for (pid_t pid = 0; members >> pid;)
    if (pid > 0)
      ::kill(pid, SIGKILL);
}

/// A group and those below it, of an attempt: it may have made some of its own.
void remove_group(const fs::path& group) {
  std::error_code ended;
  std::vector<fs::path> below;
  for (fs::directory_iterator at{group, ended}, end; !ended && at != end; at.increment(ended))
    if (at->is_directory(ended))
      below.push_back(at->path());
  for (const auto& child : below)
    remove_group(child);
  ::rmdir(group.c_str());
}

/// Of a runtime that is dead: nobody holds the lock. Its own leaf may still have its guard in it,
/// which ends by itself.
void remove_if_dead(const fs::path& group) {
  const int fd = ::open(group.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
    std::error_code ended;
    for (fs::directory_iterator at{group, ended}, end; !ended && at != end; at.increment(ended))
      if (at->is_directory(ended) && at->path().filename() != own_leaf)
        kill_all_in(at->path());
    remove_group(group);
  }
  ::close(fd);
}

/// Whether a process is in it that is neither ours nor in a group below.
bool has_others(const fs::path& group) {
  std::ifstream members{group / "cgroup.procs"};
  for (pid_t pid = 0; members >> pid;)
    if (pid != ::getpid())
      return true;
  return false;
}

tl::unexpected<error> unusable(const fs::path& group, std::string_view why) {
  return fail(errc::unavailable, "the control group '" + group.string() + "' " + std::string{why});
}

class descriptor_lock {
public:
  explicit descriptor_lock(const fs::path& dir)
    : fd_{::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)} {
    if (fd_ >= 0)
      ::flock(fd_, LOCK_EX);
  }
  descriptor_lock(const descriptor_lock&) = delete;
  descriptor_lock& operator=(const descriptor_lock&) = delete;
  ~descriptor_lock() {
    if (fd_ >= 0)
      ::close(fd_);
  }

private:
  int fd_;
};

} // namespace

attempt_limits limits_of(const model::capacity_grant& holds) {
  return {holds.amount_of("mem"), holds.amount_of("cpu")};
}

std::optional<fs::path> cgroup_dir(std::string_view mountinfo, std::string_view cgroup) {
  std::string own;
  std::istringstream lines{std::string{cgroup}};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("0::/"))
      own = line.substr(3);
  if (own.empty() || own.starts_with("/..")) // outside of what our name space shows
    return std::nullopt;
  std::istringstream mounts{std::string{mountinfo}};
  for (std::string line; std::getline(mounts, line);) {
    const auto separator = line.find(" - ");
    if (separator == std::string::npos || !line.substr(separator + 3).starts_with("cgroup2 "))
      continue;
    std::istringstream fields{line};
    std::string id, parent, device, root, place;
    fields >> id >> parent >> device >> root >> place;
    root = unescaped(root);
    if (root == "/")
      root.clear();
    if (own != root && !own.starts_with(root + "/"))
      continue;
    auto dir = unescaped(place) + own.substr(root.size());
    while (dir.size() > 1 && dir.ends_with('/'))
      dir.pop_back();
    return dir;
  }
  return std::nullopt;
}

std::int64_t count_in(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(word) || line.size() <= word.size() || line[word.size()] != ' ')
      continue;
    std::int64_t count = 0;
    std::from_chars(line.data() + word.size() + 1, line.data() + line.size(), count);
    return count;
  }
  return 0;
}

cgroup_leaf::~cgroup_leaf() {
  if (!is_empty())
    kill();
  remove_group(dir_);
  ::close(fd_);
}

void cgroup_leaf::kill() {
  kill_all_in(dir_);
}

bool cgroup_leaf::is_empty() const {
  return count_in(text_of(dir_ / "cgroup.events"), "populated") == 0;
}

bool cgroup_leaf::was_out_of_memory() const {
  return count_in(text_of(dir_ / "memory.events"), "oom_kill") > 0;
}

std::optional<std::int64_t> cgroup_leaf::peak_memory_bytes() const {
  std::ifstream in{dir_ / "memory.peak"};
  std::int64_t bytes = 0;
  return in >> bytes ? std::optional{bytes} : std::nullopt;
}

expected<fs::path> cgroup_tree::find(std::span<const std::string_view> controllers) {
  const auto dir = cgroup_dir(text_of("/proc/self/mountinfo"), text_of("/proc/self/cgroup"));
  if (!dir)
    return fail(errc::unavailable, "there are no control groups of version 2 here");
  const auto offered = text_of(*dir / "cgroup.controllers");
  const auto passed_on = text_of(*dir / "cgroup.subtree_control");
  bool has_all = true;
  for (const auto name : controllers) {
    if (!has_word(offered, name))
      return unusable(*dir, "has no controller " + std::string{name});
    has_all = has_all && has_word(passed_on, name);
  }
  // Where a container mounts the hierarchy read-only its owner alone proves nothing.
  if (::access(dir->c_str(), W_OK) != 0
      || ::access((*dir / "cgroup.subtree_control").c_str(), W_OK) != 0
      || ::access((*dir / "cgroup.procs").c_str(), W_OK) != 0)
    return unusable(*dir, "is not delegated to us: it cannot be written");
  if (has_all)
    return *dir;
  if (is_root(*dir))
    return unusable(*dir, "is that of the machine, and does not hand its controllers down");
  if (has_others(*dir))
    return unusable(*dir, "is shared with other processes");
  return *dir;
}

expected<std::unique_ptr<cgroup_tree>>
cgroup_tree::open(std::string_view token, std::span<const std::string_view> controllers) {
  auto parent = find(controllers);
  if (!parent)
    return tl::unexpected(parent.error());
  const descriptor_lock one_at_a_time{*parent}; // ours must not be taken for a dead one's
  std::error_code ended;
  std::vector<fs::path> others;
  for (fs::directory_iterator at{*parent, ended}, end; !ended && at != end; at.increment(ended))
    if (at->path().filename().string().starts_with(group_prefix))
      others.push_back(at->path());
  for (const auto& group : others)
    remove_if_dead(group);
  std::unique_ptr<cgroup_tree> tree{new cgroup_tree{std::move(*parent)}};
  if (auto made = tree->make(token, controllers); !made)
    return tl::unexpected(made.error()); // and what was made goes with the tree
  return tree;
}

expected<void> cgroup_tree::make(std::string_view token,
                                 std::span<const std::string_view> controllers) {
  const auto dir = parent_ / (std::string{group_prefix} + std::string{token});
  if (::mkdir(dir.c_str(), 0755) != 0)
    return unusable(parent_, "takes no group of ours: " + errno_text(errno));
  dir_ = dir;
  lock_ = ::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0 || ::flock(lock_, LOCK_EX | LOCK_NB) != 0)
    return unusable(dir_, "cannot be locked: " + errno_text(errno));
  const auto has = [&](std::string_view name) {
    return std::find(controllers.begin(), controllers.end(), name) != controllers.end();
  };
  limits_memory_ = has("memory");
  limits_cpu_ = has("cpu");
  if (controllers.empty())
    return {};
  if (auto handed = hand_down(controllers); !handed)
    return handed;
  for (const auto name : controllers)
    if (const int err = put(dir_ / "cgroup.subtree_control", "+" + std::string{name}); err != 0)
      return unusable(dir_, "does not hand " + std::string{name} + " down: " + errno_text(err));
  return {};
}

/// A group that hands controllers down has no process of its own, but for the root: so we leave it.
expected<void> cgroup_tree::hand_down(std::span<const std::string_view> controllers) {
  const auto passed_on = text_of(parent_ / "cgroup.subtree_control");
  std::string missing;
  for (const auto name : controllers)
    if (!has_word(passed_on, name))
      missing += (missing.empty() ? "+" : " +") + std::string{name};
  if (missing.empty())
    return {};
  const auto place = dir_ / own_leaf;
  if (::mkdir(place.c_str(), 0755) != 0)
    return unusable(dir_, "takes no group of ours: " + errno_text(errno));
  if (const int err = put(place / "cgroup.procs", "0"); err != 0)
    return unusable(place, "does not take this process: " + errno_text(err));
  has_moved_ = true;
  if (const int err = put(parent_ / "cgroup.subtree_control", missing); err != 0)
    return unusable(parent_, err == EBUSY
                               ? "is shared with other processes"
                               : "does not hand " + missing + " down: " + errno_text(err));
  handed_down_ = missing;
  return {};
}

cgroup_tree::~cgroup_tree() {
  if (has_moved_)
    move_back();
  if (!dir_.empty())
    remove_group(dir_);
  if (lock_ >= 0)
    ::close(lock_);
}

/// All as it was: the next runtime here may be another version of us, or none at all.
void cgroup_tree::move_back() {
  std::string taken_back = handed_down_;
  std::replace(taken_back.begin(), taken_back.end(), '+', '-');
  std::error_code ended;
  for (fs::directory_iterator at{dir_, ended}, end; !ended && at != end; at.increment(ended))
    if (at->is_directory(ended) && at->path().filename() != own_leaf)
      remove_group(at->path());
  if (!taken_back.empty()) {
    put(dir_ / "cgroup.subtree_control", taken_back);
    put(parent_ / "cgroup.subtree_control", taken_back);
  }
  put(parent_ / "cgroup.procs", "0");
}

tl::expected<std::unique_ptr<cgroup_leaf>, int>
cgroup_tree::make_leaf(const std::string& name, const attempt_limits& limits) {
  const auto dir = dir_ / name;
  if (::mkdir(dir.c_str(), 0755) != 0)
    return tl::unexpected(errno);
  const int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    const int err = errno;
    ::rmdir(dir.c_str());
    return tl::unexpected(err);
  }
  auto leaf = std::make_unique<cgroup_leaf>(dir, fd);
  int err = 0;
  if (limits_memory_ && limits.memory_bytes) {
    err = put(dir / "memory.max", std::to_string(*limits.memory_bytes));
    // All of the attempt or nothing: what is left of half of it has no use. Swap would only make a
    // limit slow; a kernel without it has no such file.
    if (err == 0)
      err = put(dir / "memory.oom.group", "1");
    if (err == 0)
      put(dir / "memory.swap.max", "0");
  }
  if (err == 0 && limits_cpu_ && limits.cpu_thousandths) {
    const auto quota =
      std::max(least_cpu_quota_us, *limits.cpu_thousandths * cpu_period_us / 1'000);
    err = put(dir / "cpu.max", std::to_string(quota) + " " + std::to_string(cpu_period_us));
  }
  if (err != 0)
    return tl::unexpected(err);
  return leaf;
}

} // namespace sluice::executors
