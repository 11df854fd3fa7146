// The runtime's side of the guard: a tiny program that kills what the runtime leaves behind when it
// dies without a goodbye. Started before anything else, owned by the composition root, used from
// one thread. See docs/architecture.md, "The guard", for what it covers.
#pragma once

#include "model/error.hpp"
#include "model/time.hpp"

#include <filesystem>
#include <string>

#include <sys/types.h>

namespace sluice::executors {

/// 128 random bits in hex: marks the processes of one launch. Errors: `unavailable`.
expected<std::string> new_instance_token();

/// The guard program: `given`, or beside our executable, or in the libexec directory. Errors:
/// `not_found` (the message names the places).
expected<std::string> find_guard(const std::filesystem::path& given);

struct guard_options {
  std::filesystem::path program;   ///< empty: beside our executable, else in the libexec directory
  std::filesystem::path lock_path; ///< `guard.lock` of the store
  std::string token;               ///< what tasks carry as SLUICE_INSTANCE
  model::milliseconds lock_wait{30000}; ///< for the guard of an earlier runtime
};

class guard_process {
public:
  /// Starts the guard and returns once it holds the lock: whatever an earlier runtime on this store
  /// had started is gone then. Errors: `not_found` when there is no guard program (the message
  /// names the places), `unavailable` when the lock is not free in time, or the guard cannot be
  /// started.
  static expected<guard_process> start(const guard_options& options);

  guard_process(guard_process&& other) noexcept;
  guard_process& operator=(guard_process&& other) noexcept;
  /// Without a goodbye before, the guard kills every process that carries the token; waits for it,
  /// a few seconds at most.
  ~guard_process();

  /// Our end of the channel, close-on-exec: the `guard_fd` of `process_options`. The guard acts
  /// when nobody holds it any more.
  int descriptor() const { return channel_; }
  /// Readable when the guard has died, which it does not by itself: from then on nothing is
  /// guarded.
  int pid_descriptor() const { return pidfd_; }
  pid_t pid() const { return pid_; }

  /// Everything has ended in order: the guard ends too, and frees its lock. Waits for it, a few
  /// seconds at most, and kills it when it does not. Repeating it is safe.
  void goodbye();

private:
  guard_process() = default;
  void end(const char* last_word);

  int channel_ = -1;
  int pidfd_ = -1;
  pid_t pid_ = -1;
};

} // namespace sluice::executors
