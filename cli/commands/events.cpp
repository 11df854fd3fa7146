#include "cli/commands/commands.hpp"
#include "cli/event_text.hpp"
#include "cli/filter.hpp"
#include "cli/found_run.hpp"
#include "cli/words.hpp"
#include "runtime/change_watch.hpp"
#include "runtime/history.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <limits>

namespace sluice::cli {
namespace {

struct events_options {
  std::string run;
  list_options list{.limit = std::numeric_limits<std::size_t>::max()};
  bool follow = false;
};

/// Reads a run's events page by page from where it stopped last, and prints those that are wanted.
class event_printer {
public:
  event_printer(session& s, runtime::history& store, model::run_no run,
                std::map<std::string, std::string> filters, std::size_t limit)
    : session_(s), store_(store), run_(run), filters_(std::move(filters)), limit_(limit) {}

  bool is_done() const { return limit_ == 0 || session_.out.is_closed(); }

  expected<void> print_new() {
    constexpr std::size_t page = 1000;
    while (!is_done()) {
      const auto events = store_.events(run_, last_seq_, page);
      if (!events)
        return tl::unexpected(events.error());
      for (const auto& e : *events) {
        last_seq_ = e.seq;
        if (!is_done() && is_wanted(e))
          print(e);
      }
      if (events->size() < page)
        break;
    }
    session_.out.flush();
    return {};
  }

private:
  bool is_wanted(const model::event& e) {
    const auto& type = filters_["type"];
    const auto& task = filters_["task"];
    return (type.empty() || to_string(e.type) == type) && (task.empty() || e.task == task);
  }
  void print(const model::event& e) {
    --limit_;
    if (session_.json())
      session_.print_json(model::to_json(e));
    else if (session_.quiet())
      session_.out.line(std::to_string(e.seq));
    else
      session_.out.line(event_line(e, session_.out, session_.zone));
  }

  session& session_;
  runtime::history& store_;
  model::run_no run_;
  std::map<std::string, std::string> filters_;
  std::size_t limit_;
  std::int64_t last_seq_ = 0;
};

expected<void> follow(event_printer& printer, runtime::history& store, model::run_no run_no) {
  auto watch = runtime::change_watch::open();
  if (!watch)
    return tl::unexpected(watch.error());
  if (auto watching = watch->add_directory(store.store_dir()); !watching)
    return watching;
  while (true) {
    // Looked at before the events: a run that is over has written all of them.
    const auto run = store.run(to_string(run_no));
    if (!run)
      return tl::unexpected(run.error());
    if (auto printed = printer.print_new(); !printed)
      return printed;
    if (!run->is_live() || printer.is_done())
      return {};
    if (const auto woken = watch->wait(); !woken)
      return tl::unexpected(woken.error());
  }
}

int list_events(session& s, const events_options& options) {
  constexpr std::array<std::string_view, 2> keys{"type", "task"};
  auto filters = read_filters(options.list.filters, keys);
  if (!filters)
    return s.fail(filters.error());
  if (const auto& type = (*filters)["type"]; !type.empty() && !model::parse_event_type(type))
    return s.fail("'" + type + "' is not the type of an event", exit_usage);
  auto target = find_run(s, options.run);
  if (!target)
    return target.error();
  auto& [store, run] = *target;
  event_printer printer{s, store, run.run_no, std::move(*filters), options.list.limit};
  const auto printed = options.follow ? follow(printer, store, run.run_no) : printer.print_new();
  return printed ? exit_done : s.fail(printed.error());
}

} // namespace

void add_events(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<events_options>();
  auto* verb = program.add_subcommand("events", "Print what happened in a run, oldest first");
  verb->add_option("RUN", options->run, "r-12, 12, @last or @last-failed")->required();
  verb->add_flag("-f,--follow", options->follow, "Go on until the run has ended");
  verb->add_option("--limit", options->list.limit, "At most this many");
  verb->add_option("--filter", options->list.filters, "type=TYPE or task=NAME")
    ->allow_extra_args(false);
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return list_events(s, *options); }; });
}

} // namespace sluice::cli
