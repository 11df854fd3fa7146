// The attempts of the process thread and what becomes of them: starts, exits, the proof that a
// process group is gone, and the report. Owned and called by that one thread; see
// process_thread.hpp.
#pragma once

#include "executors/attempt_files.hpp"
#include "executors/attempt_starter.hpp"
#include "executors/launcher.hpp"
#include "executors/process_options.hpp"

#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace sluice::executors {

class attempt_loop {
public:
  /// `wake_fd` makes `wait` return; it stays the caller's. Check `is_open` after.
  attempt_loop(process_options options, int wake_fd);
  attempt_loop(const attempt_loop&) = delete;
  attempt_loop& operator=(const attempt_loop&) = delete;
  ~attempt_loop();

  /// 0, or why the descriptors it needs could not be had.
  int open_error() const { return open_error_; }

  void add(std::shared_ptr<const model::start_attempt> order,
           std::shared_ptr<const launch_listener> listener);
  void go_on(model::attempt_key key);
  void put_out(model::attempt_key key, const model::value& outputs);
  void signal(model::attempt_key key, stop_signal what);
  void forget(model::attempt_key key);
  /// See `launcher::abandon_all`.
  void abandon_all(std::function<void()> on_gone);
  /// Abandons everything, for good.
  void end_all();

  /// Blocks until something is due. Returns whether `wake_fd` is readable.
  bool wait();
  /// Handles exits, looks after groups that were not gone yet, starts a few of the attempts that
  /// wait, and hands back those that waited too long for a slot.
  void work();
  /// After `end_all`: all are gone, or have had 10 s to go.
  bool is_over() const;

private:
  struct abandonment {
    std::size_t left = 0;
    std::function<void()> on_gone;
  };
  struct attempt {
    enum class phase : std::uint8_t { queued, running, leaving, holding };
    /// What epoll knows an attempt by. They stay where they are, and so does the attempt.
    struct source {
      attempt* of;
      bool is_output;
    };
    attempt() = default;
    attempt(const attempt&) = delete;
    attempt& operator=(const attempt&) = delete;

    model::attempt_key key;
    std::shared_ptr<const model::start_attempt> order; ///< until its last process runs
    std::unique_ptr<model::attempt_report> passed;     ///< of its action, while that is validated
    bool takes_snapshot = false;                       ///< that is what runs now
    bool is_stopped = false;                           ///< someone has asked for its end
    std::shared_ptr<const model::workflow_spec> workflow; ///< for the declared outputs
    std::uint32_t task = 0;
    model::command_role role = model::command_role::action;
    phase state = phase::queued;
    bool is_reaped = false;
    int pidfd = -1;
    pid_t pid = -1;
    int wait_status = 0;
    int looks = 0;                                       ///< at a group that was not gone
    model::value told;                                   ///< put out by calls: object, or null
    std::shared_ptr<const launch_listener> listener;     ///< null: nobody asks any more
    std::vector<std::shared_ptr<abandonment>> abandoned; ///< twice when the owner died twice
    model::steady_time due;      ///< queued: since when; leaving: when to look again
    model::resource_usage usage; ///< of its processes so far
    attempt_kit kit;
    source exit{this, false}, output{this, true};
    std::int64_t memory_bytes = 0; ///< it was given; 0: it named none
    std::optional<model::wall_time> started_at;
    model::wall_time finished_at;
  };
  enum class launch_result : std::uint8_t { done, refused };

  void start_some();
  launch_result launch(attempt& a);
  std::optional<model::failure> try_launch(attempt& a);
  std::optional<model::failure> start_watched(attempt& a, model::command_role role);
  static void drop_order_unless_needed(attempt& a);
  int watch(attempt& a, pid_t pid);
  bool wait_for(int fd, attempt::source& source);
  launch_result refuse(attempt& a, model::failure why);
  bool has_spare_descriptor();

  void leader_exited(attempt& a);
  void command_ended(attempt& a);
  std::optional<model::failure> start_another(attempt& a, model::command_role role);
  void snapshot_ended(attempt& a);
  std::optional<model::failure> start_validation(attempt& a, const model::value& outputs);
  void add_validation(attempt& a, model::attempt_report& report);
  void reap(attempt& a);
  static void kill_all_of(attempt& a);
  bool is_gone(attempt& a);
  void look_at_groups();

  model::attempt_report report_of(attempt& a);
  static model::failure out_of_memory(const attempt& a);
  static void keep_secrets(const attempt& a, model::attempt_report& report);
  void add_outputs(const attempt& a, model::attempt_report& report);
  void forget_secrets(const attempt& a);
  void finish(attempt& a, model::attempt_report report);
  void fail_start(attempt& a, model::failure why);
  model::steady_time give_back_at() const;
  void give_back_starts();

  /// Where news for this listener are collected.
  launch_news& news_for(const std::shared_ptr<const launch_listener>& listener);
  void tell();
  bool may_tell_later() const;
  bool has_free_slot() const { return live_ < options_.slots; }
  int timeout_ms() const;
  model::steady_time now() const { return options_.clock.steady(); }

  process_options options_;
  attempt_files files_;
  attempt_starter starter_;
  int open_error_ = 0;
  int epoll_ = -1;
  int spare_ = -1; ///< given up for the pidfd of a process that runs already

  std::unordered_map<model::attempt_key, attempt> attempts_;
  std::deque<model::attempt_key>
    starts_;                      ///< in order; those stopped meanwhile are not in attempts_
  std::size_t live_ = 0;          ///< attempts whose group is not proven gone
  std::vector<attempt*> exited_;  ///< found by `wait`, for `work`
  std::vector<attempt*> printed_; ///< likewise, of those that have secrets
  std::vector<attempt*> leaving_;
  std::shared_ptr<const launch_listener> told_; ///< whom `news_` is for; null when there are none
  launch_news news_;
  model::steady_time news_due_{};                   ///< when they have to be told
  std::optional<model::steady_time> refused_since_; ///< the host is full
  model::steady_time retry_at_{};
  std::optional<model::steady_time> stop_at_; ///< set by `end_all`
};

} // namespace sluice::executors
