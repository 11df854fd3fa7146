// The main thread of `sluice run` while the run goes on: waits for committed events, for signals
// and for a slow reader of standard output at once, and never lets one hold up the others.
#pragma once

#include "cli/awaited.hpp"
#include "cli/event_inbox.hpp"
#include "cli/progress.hpp"
#include "cli/run_tracker.hpp"
#include "cli/session.hpp"
#include "cli/signals.hpp"
#include "runtime/history.hpp"
#include "runtime/orchestrator.hpp"

#include <memory>
#include <optional>

namespace sluice::cli {

/// The run that is watched, and how far it was when the watch began.
struct watched_run {
  model::run_no run_no;
  run_tracker tracker;
  std::int64_t last_seq = 0; ///< events up to here are in the tracker
  model::run_state good_end = model::run_state::succeeded;
};

class run_loop {
public:
  run_loop(session& s, runtime::orchestrator& node, event_inbox& inbox, signal_watch& signals,
           watched_run run);

  enum class outcome { ended, cancelled, drained };
  /// Returns when the run's end is committed and shown, or when nothing of it is under way after
  /// SIGTERM. Errors: what ended the node instead.
  expected<outcome> run();

private:
  expected<void> take_events();
  expected<void> read_missed_events();
  std::string name_of(std::uint32_t task_idx);
  void read_added_tasks();
  void handle(model::event e);
  void take_signals();
  void cancel();
  void drain();
  void say(const std::string& text);
  void settle_down();
  void redraw();
  bool wants_events() const;
  int timeout_ms() const;
  void wait();

  session& session_;
  runtime::orchestrator& node_;
  event_inbox& inbox_;
  signal_watch& signals_;
  model::run_no run_;
  run_tracker tracker_;
  model::task_names names_; ///< as far as they are needed
  std::unique_ptr<progress> progress_;
  std::optional<runtime::history> store_; ///< while events that were missed are read
  bool is_behind_ = false;                ///< events have to be read from the store
  std::int64_t last_seq_ = 0;
  int signals_taken_ = 0;
  bool is_cancelled_ = false;
  std::shared_ptr<awaited<bool>> drained_; ///< after SIGTERM
  bool is_drained_ = false;
  std::optional<model::steady_time> settles_at_; ///< some time after the first event of a rush
  std::chrono::microseconds worked_{0};        ///< processor time until memory was given back last
  std::optional<model::steady_time> stops_at_; ///< what is under way then
  bool needs_redraw_ = true;
  model::steady_time drawn_at_{0};
};

} // namespace sluice::cli
