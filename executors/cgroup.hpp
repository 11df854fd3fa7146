// Control groups of version 2, which hold attempts to what they said they need: one group for a
// runtime, in the one that the runtime was started in, and in it one for each attempt that names
// memory or processors. Made by the runtime at its start; afterwards used on the process thread.
#pragma once

#include "model/capacity.hpp"
#include "model/error.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::executors {

/// What an attempt may use; none: as much as there is.
struct attempt_limits {
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::int64_t> cpu_thousandths; ///< of a processor
  bool any() const { return memory_bytes.has_value() || cpu_thousandths.has_value(); }
  friend bool operator==(const attempt_limits&, const attempt_limits&) = default;
};
/// Those that follow from what an attempt was given.
attempt_limits limits_of(const model::capacity_grant& holds);

/// The directory of the control group that a process is in, from the texts of its `mountinfo` and
/// `cgroup` in /proc. Nothing when there is no hierarchy of version 2, or it is mounted elsewhere.
std::optional<std::filesystem::path> cgroup_dir(std::string_view mountinfo,
                                                std::string_view cgroup);

/// The number behind a word in a file such as `memory.events`; 0 when it is not there.
std::int64_t count_in(std::string_view text, std::string_view word);

/// The group of one attempt. It is removed with this object; what is still in it is killed.
class cgroup_leaf {
public:
  cgroup_leaf(std::filesystem::path dir, int fd) : dir_{std::move(dir)}, fd_{fd} {}
  cgroup_leaf(const cgroup_leaf&) = delete;
  cgroup_leaf& operator=(const cgroup_leaf&) = delete;
  ~cgroup_leaf();

  /// Its directory, for a process to be born in. Stays this object's.
  int descriptor() const { return fd_; }
  /// Kills every process in it, wherever else they belong.
  void kill();
  /// Whether no process is in it that is not dead.
  bool is_empty() const;
  /// Whether the kernel has killed something in it for its memory.
  bool was_out_of_memory() const;
  /// The most memory that was in use at once; nothing before Linux 5.19.
  std::optional<std::int64_t> peak_memory_bytes() const;

private:
  std::filesystem::path dir_;
  int fd_;
};

/// What it takes to hold attempts to memory and processors.
inline constexpr std::string_view limiting_controllers[] = {"memory", "cpu"};

/// The group of a runtime. It is removed with this object.
class cgroup_tree {
public:
  /// Where a group could be made, without making one: the directory of our own. Errors:
  /// `unavailable`, with the reason, when there is no version 2, when our group was not delegated
  /// to us, or lacks a controller, or is shared with other processes.
  static expected<std::filesystem::path>
  find(std::span<const std::string_view> controllers = limiting_controllers);

  /// Makes one there, and removes those of runtimes that have died. Where the kernel asks for it
  /// this process moves to a group below its own, to be called before it has children. `token`
  /// tells runtimes apart. Errors: those of `find`, and when something cannot be made.
  static expected<std::unique_ptr<cgroup_tree>>
  open(std::string_view token,
       std::span<const std::string_view> controllers = limiting_controllers);

  cgroup_tree(const cgroup_tree&) = delete;
  cgroup_tree& operator=(const cgroup_tree&) = delete;
  ~cgroup_tree();

  const std::filesystem::path& dir() const { return dir_; }

  /// A group in it with these limits, as far as the controllers for them were asked for. Error: an
  /// errno value.
  tl::expected<std::unique_ptr<cgroup_leaf>, int> make_leaf(const std::string& name,
                                                            const attempt_limits& limits);

private:
  explicit cgroup_tree(std::filesystem::path parent) : parent_{std::move(parent)} {}
  expected<void> make(std::string_view token, std::span<const std::string_view> controllers);
  expected<void> hand_down(std::span<const std::string_view> controllers);
  void move_back();

  std::filesystem::path parent_; ///< our own at first
  std::filesystem::path dir_;
  int lock_ = -1; ///< of `dir_`, as long as we live
  bool has_moved_ = false;
  bool limits_memory_ = false, limits_cpu_ = false;
  std::string handed_down_; ///< what `parent_` did not before
};

} // namespace sluice::executors
