#include "testing/faulty_store.hpp"

#include <stdexcept>

namespace sluice::testing {

faulty_store::faulty_store(std::unique_ptr<storage::store> inner) : inner_(std::move(inner)) {}

faulty_store::faulty_store(expected<std::unique_ptr<storage::store>> inner) {
  if (!inner)
    throw std::runtime_error{inner.error().message}; // fails the test that could not open it
  inner_ = std::move(*inner);
}

void faulty_store::fail_next(std::size_t commits, error with, fault_moment moment) {
  const std::lock_guard lock{mutex_};
  failures_left_ = commits;
  failure_ = std::move(with);
  moment_ = moment;
}

std::size_t faulty_store::commits() const {
  const std::lock_guard lock{mutex_};
  return commits_;
}

std::size_t faulty_store::calls() const {
  const std::lock_guard lock{mutex_};
  return calls_;
}

std::vector<storage::step_ptr> faulty_store::steps() const {
  const std::lock_guard lock{mutex_};
  return steps_;
}

std::vector<std::size_t> faulty_store::group_sizes() const {
  const std::lock_guard lock{mutex_};
  return group_sizes_;
}

expected<std::int64_t> faulty_store::commit(std::uint64_t incarnation,
                                            std::span<const storage::step_ptr> steps) {
  const std::lock_guard lock{mutex_};
  ++calls_;
  const bool fails = failures_left_ > 0;
  if (fails)
    --failures_left_;
  if (fails && moment_ == fault_moment::before_commit)
    return tl::unexpected(failure_);
  auto done = inner_->commit(incarnation, steps);
  if (!done)
    return done;
  steps_.insert(steps_.end(), steps.begin(), steps.end());
  group_sizes_.push_back(steps.size());
  if (fails)
    return tl::unexpected(failure_);
  ++commits_;
  return done;
}

std::size_t faulty_store::refused() const {
  const std::lock_guard lock{mutex_};
  return inner_->refused();
}

expected<storage::commit_mark> faulty_store::last_commit() {
  const std::lock_guard lock{mutex_};
  return inner_->last_commit();
}

expected<void> faulty_store::mend(const storage::mended_run& run, model::wall_time now) {
  const std::lock_guard lock{mutex_};
  return inner_->mend(run, now);
}

expected<std::vector<model::run_no>> faulty_store::prune(model::wall_time ended_before,
                                                         model::wall_time now) {
  const std::lock_guard lock{mutex_};
  return inner_->prune(ended_before, now);
}

expected<std::int64_t> faulty_store::last_seq() {
  const std::lock_guard lock{mutex_};
  return inner_->last_seq();
}

} // namespace sluice::testing
