// A launcher whose processes are a script: the test decides when an attempt starts and how it ends.
// Single-threaded, for `actor_world`.
#pragma once

#include "executors/launcher.hpp"

#include <map>
#include <string>
#include <vector>

namespace sluice::testing {

class scripted_launcher final : public executors::launcher {
public:
  void start(std::shared_ptr<const model::start_attempt> attempt,
             std::shared_ptr<const executors::launch_listener> listener) override;
  void go_on(model::attempt_key key) override;
  void put_out(model::attempt_key key, model::value outputs) override;
  void signal(model::attempt_key key, executors::stop_signal what) override;
  void forget(model::attempt_key key) override;
  void abandon_all(std::function<void()> on_gone) override;

  struct sent_signal {
    model::attempt_key key;
    executors::stop_signal what;
    friend bool operator==(const sent_signal&, const sent_signal&) = default;
  };

  /// What was asked for, in order. Attempts that `abandon_all` ended are in `abandoned`.
  std::vector<std::shared_ptr<const model::start_attempt>> starts;
  std::vector<sent_signal> signals;
  std::vector<model::attempt_key> forgotten;
  std::vector<model::attempt_key> abandoned;
  std::vector<model::attempt_key> gone_on; ///< those whose action begins after a snapshot
  std::map<model::attempt_key, model::value> put_outs; ///< objects

  /// Attempts that were started and are not over, by task name.
  std::vector<std::string> under_way() const;
  /// The key of the attempt under way of a task. @pre there is one
  model::attempt_key key_of(const std::string& task) const;

  /// Tells that the process runs.
  void confirm(model::attempt_key key, model::wall_time at);
  /// Tells that it has a snapshot, and waits to go on.
  void hold(model::attempt_key key, std::string snapshot);
  /// Tells that its result is being validated.
  void validate(model::attempt_key key);
  /// Tells that it is over: with the failure, or as a success with outputs.
  void end(model::attempt_key key, model::wall_time at,
           std::optional<model::failure> failure = std::nullopt, model::value outputs = {});
  /// Hands a start back for which no slot became free.
  void hand_back(model::attempt_key key, model::wall_time at);
  /// Tells an end once more, counted from 0 in the order they were told.
  void repeat_end(std::size_t which);
  std::size_t ends_told() const { return told_.size(); }
  /// Keys of the attempts under way, in order.
  std::vector<model::attempt_key> keys() const;
  /// @pre it is under way
  const model::start_attempt& order(model::attempt_key key) const {
    return *attempts_.at(key).what;
  }

private:
  struct attempt {
    std::shared_ptr<const model::start_attempt> what;
    std::shared_ptr<const executors::launch_listener> listener;
    std::optional<model::wall_time> started_at;
  };
  struct told_end {
    std::shared_ptr<const executors::launch_listener> listener;
    model::attempt_report report;
  };
  void tell_end(std::shared_ptr<const executors::launch_listener> listener,
                model::attempt_report report);

  std::map<model::attempt_key, attempt> attempts_;
  std::vector<told_end> told_;
};

} // namespace sluice::testing
