// What some tasks may use together, and what they have used of it: money, tokens and time. Pure;
// owned by a live run, one for the run and one for each group that has a budget.
#pragma once

#include "model/budget.hpp"
#include "model/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace sluice::logic {

/// That a budget is used up.
struct excess {
  model::budget_kind kind = model::budget_kind::cost;
  bool is_over = false;              ///< what runs has to stop too; else all is used and no more
  std::optional<std::uint32_t> task; ///< that used more than its share; nothing: all together
  model::amount used = 0, limit = 0;
};

class pot {
public:
  using amount = model::amount;
  /// What an attempt may use at most, where there is a limit.
  using allowance = std::array<std::optional<amount>, model::budget_kind_count>;

  /// The specification has to outlive it.
  explicit pot(const model::budget_spec& spec) : spec_(&spec) {}
  const model::budget_spec& spec() const { return *spec_; }
  /// The specification is elsewhere. @pre it says the same
  void point_to(const model::budget_spec& spec) { spec_ = &spec; }

  // --- what happens ------------------------------------------------------------------------------

  /// A task may start, or may not any more: what is left is split among those that may.
  void expect(amount weight) { expected_ += weight; }
  void expect_no_more(amount weight) { expected_ -= weight; }
  /// Of an attempt that is over: before a restart, or in an earlier generation.
  void add_spent(const model::amounts& used);
  /// An attempt is dispatched. Returns what it may use: its share, or all that is left; of a task
  /// without a weight always the latter. @pre its task is not among those that are expected
  allowance begin(std::uint32_t task, std::optional<amount> weight, model::wall_time now);
  /// An attempt was dispatched before a restart, and goes on. Its share is a new one, and not less
  /// than what it has used.
  void resume(std::uint32_t task, std::optional<amount> weight, const model::amounts& used,
              model::wall_time since, model::wall_time now);
  /// Its time begins.
  void start(std::uint32_t task, model::wall_time at);
  /// Of an attempt under way: all that it has said so far. Less than before changes nothing.
  void tell(std::uint32_t task, const model::amounts& used);
  /// It is over, and has taken so long.
  void end(std::uint32_t task, const model::amounts& used, model::microseconds took);

  // --- what is -----------------------------------------------------------------------------------

  bool is_under_way(std::uint32_t task) const { return under_way_.contains(task); }
  /// Some task whose attempt is under way.
  std::optional<std::uint32_t> some_task() const;
  amount used(model::budget_kind kind, model::wall_time now) const;
  /// Never less than nothing.
  amount left(model::budget_kind kind, model::wall_time now) const;
  /// Of what is over, the first kind; else of what is empty.
  std::optional<excess> exceeded(model::wall_time now) const;
  std::optional<excess> exceeded(model::budget_kind kind, model::wall_time now) const;
  /// When its time will be over, or that of one of its tasks, should everything go on as it does.
  std::optional<model::wall_time> time_is_over_at(model::wall_time now) const;

  /// What was done about it, so that it is done once.
  enum class handled : std::uint8_t { nothing, empty, over };
  handled stopped = handled::nothing;
  std::array<bool, model::budget_kind_count> warned{};

private:
  struct use {
    model::amounts told{};
    allowance share{};
    std::optional<model::wall_time> since;

    amount of(model::budget_kind kind, model::wall_time now) const;
  };
  amount reserved(model::budget_kind kind, model::wall_time now) const;
  void note_excess(std::uint32_t task, const allowance& share, model::budget_kind kind, amount own);

  const model::budget_spec* spec_;
  model::amounts spent_{}; ///< with what attempts under way have said
  amount expected_ = 0;    ///< sum of weights
  std::unordered_map<std::uint32_t, use> under_way_;
  std::array<std::optional<excess>, model::budget_kind_count> excesses_; ///< of shares
};

/// The weight of a task, by name.
model::amount weight_of(const model::budget_spec& budget, const std::string& task);

} // namespace sluice::logic
