// Printing logs as they are written (`logs -f`), from another process than the one that runs the
// tasks: which attempts there are comes from the committed events, their text from their files, and
// inotify tells when to look again.
#pragma once

#include "cli/log_text.hpp"
#include "cli/session.hpp"
#include "runtime/change_watch.hpp"
#include "runtime/history.hpp"

#include <map>
#include <optional>

namespace sluice::cli {

class log_follower {
public:
  /// Follows one task, or all of the run with the task's name before each line.
  log_follower(session& s, runtime::history& store, runtime::change_watch watch, model::run_no run,
               std::optional<std::uint32_t> task);

  /// Returns when the run (or the task) has ended, its runtime is gone, or nobody reads any more.
  expected<void> follow();

private:
  struct stream {
    log_reader log;
    std::string task;
    std::string rest;       ///< the beginning of a line whose end is not written yet
    bool has_ended = false; ///< the attempt is over: what is in the file is all
  };

  expected<void> read_events();
  void apply(const model::event& e);
  expected<void> pump_all();
  expected<void> pump(stream& from, model::attempt_key key);
  void print(stream& from, model::attempt_key key, std::string text);
  void print_line(const stream& from, model::attempt_key key, std::string_view line);

  session& session_;
  runtime::history& store_;
  runtime::change_watch watch_;
  model::run_no run_;
  std::optional<std::uint32_t> task_;
  std::int64_t last_seq_ = 0;
  bool has_ended_ = false;
  std::map<model::attempt_key, stream> streams_;
};

} // namespace sluice::cli
