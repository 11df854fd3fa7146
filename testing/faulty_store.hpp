// A store around another one that counts, remembers what it was given, and fails on demand. For
// tests of what writes to a store. Its functions may be called from any thread.
#pragma once

#include "storage/store.hpp"

#include <mutex>

namespace sluice::testing {

/// When an injected error strikes: before the inner commit, so that nothing is stored, or after
/// it, so that everything is stored and only the answer is lost.
enum class fault_moment : std::uint8_t { before_commit, after_commit };

class faulty_store final : public storage::store {
public:
  explicit faulty_store(std::unique_ptr<storage::store> inner);
  /// Around what an `open_` function returned; throws when that is an error.
  explicit faulty_store(expected<std::unique_ptr<storage::store>> inner);

  /// The next `commits` calls of `commit` fail with this error. Replaces what was asked before.
  void fail_next(std::size_t commits, error with,
                 fault_moment moment = fault_moment::before_commit);

  /// Calls of `commit` that were answered without an error.
  std::size_t commits() const;
  /// All calls of `commit`.
  std::size_t calls() const;
  /// The steps that were stored, in order, those whose answer was lost included.
  std::vector<storage::step_ptr> steps() const;
  /// How many steps each group that was stored had.
  std::vector<std::size_t> group_sizes() const;

  expected<std::int64_t> commit(std::uint64_t incarnation,
                                std::span<const storage::step_ptr> steps) override;
  std::size_t refused() const override;
  expected<void> mend(const storage::mended_run& run, model::wall_time now) override;
  expected<std::vector<model::run_no>> prune(model::wall_time ended_before,
                                             model::wall_time now) override;
  expected<storage::commit_mark> last_commit() override;
  expected<std::int64_t> last_seq() override;

private:
  mutable std::mutex mutex_;
  std::unique_ptr<storage::store> inner_;
  std::size_t failures_left_ = 0;
  error failure_;
  fault_moment moment_ = fault_moment::before_commit;
  std::size_t calls_ = 0;
  std::size_t commits_ = 0;
  std::vector<storage::step_ptr> steps_;
  std::vector<std::size_t> group_sizes_;
};

} // namespace sluice::testing
