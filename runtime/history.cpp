#include "runtime/history.hpp"

#include "executors/attempt_files.hpp"
#include "logic/compiled_workflow.hpp"
#include "logic/join.hpp"
#include "model/nearest_name.hpp"
#include "runtime/liveness.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <unordered_map>

namespace sluice::runtime {
namespace {

constexpr std::size_t page_size = 2'000;
/// Unfinished runs of a store; more than a person has, and a bound all the same.
constexpr std::size_t most_unfinished = 10'000;

std::optional<std::uint32_t> to_number(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || err != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

/// Rather than by time, which nobody looks at while there is no runtime.
bool is_passed_by_people(model::wait_reason reason) {
  return reason == model::wait_reason::approval || reason == model::wait_reason::signal
         || reason == model::wait_reason::gate;
}

/// Works out what is not stored: which pending tasks are ready, and what each of them waits for.
class readiness {
public:
  readiness() = default; ///< of a run that is over: there is nothing to work out
  explicit readiness(std::shared_ptr<const logic::compiled_workflow> graph)
    : graph_(std::move(graph)), states_(graph_->graph().size()) {}

  /// Takes note of a task; of all of them, before the first is viewed.
  void note(const storage::task_row& row) {
    if (row.key.task_idx < states_.size())
      states_[row.key.task_idx] = row.state;
    active_ += model::is_active(row.state) ? 1 : 0;
    if (row.node_idx && model::is_active(row.state))
      ++active_instances_[*row.node_idx];
    if (const auto group = group_of(row); group && model::is_active(row.state))
      ++active_in_groups_[*group];
    if (graph_ && !graph_->spec().is_finally(row.node_idx.value_or(row.key.task_idx)))
      before_finally_ += model::is_terminal(row.state) ? 0 : 1;
  }

  task_view view(const run_view& run, storage::task_row row) const {
    task_view view;
    static_cast<storage::task_row&>(view) = std::move(row);
    view.shown = view.state;
    view.interrupted = run.interrupted && model::is_active(view.state);
    if (view.state == model::task_state::dispatched)
      view.shown = model::task_state::running;
    if (view.state == model::task_state::retry_wait && !run.interrupted)
      view.wait_reason = model::wait_reason::retry;
    if (view.breaker && !run.interrupted)
      view.wait_reason = model::wait_reason::breaker;
    if (view.state == model::task_state::waiting && !run.interrupted
        && view.reason == to_string(model::wait_reason::idempotency))
      view.wait_reason = model::wait_reason::idempotency;
    if (view.state == model::task_state::waiting
        && view.reason == to_string(model::wait_reason::hold))
      view.wait_reason = model::wait_reason::hold;
    if (view.awaits && (!run.interrupted || is_passed_by_people(view.awaits->reason)))
      view.wait_reason = view.awaits->reason;
    if (view.state == model::task_state::paused)
      view.wait_reason = model::wait_reason::paused;
    if (view.state == model::task_state::pending && view.instances)
      view.shown = model::task_state::running; // its instances do
    else if (view.state == model::task_state::pending && graph_)
      explain(view, run);
    return view;
  }

private:
  void explain(task_view& view, const run_view& run) const {
    if (!graph_->spec().has(view.node_idx.value_or(view.key.task_idx)))
      return; // it was added since
    if (before_finally_ > 0
        && graph_->spec().is_finally(view.node_idx.value_or(view.key.task_idx))) {
      view.wait_reason = model::wait_reason::upstream;
      view.waits_for = "all tasks before finally";
      return;
    }
    if (view.node_idx) // whose rules hold
      return explain_ready(view, run);
    constexpr std::uint32_t most_names = 3;
    std::uint32_t undecided = 0;
    for (const auto upstream : graph_->graph().upstreams(view.key.task_idx))
      if (!model::is_terminal(states_[upstream]) && undecided++ < most_names)
        view.waits_for += (undecided == 1 ? "" : ", ") + graph_->spec().task(upstream).name;
    if (undecided > most_names)
      view.waits_for += " and " + std::to_string(undecided - most_names) + " more";
    if (undecided != 0 && !has_fired(view.key.task_idx, undecided)) {
      view.wait_reason = model::wait_reason::upstream;
      return;
    }
    view.waits_for.clear();
    explain_ready(view, run);
  }

  void explain_ready(task_view& view, const run_view& run) const {
    view.shown = model::task_state::ready;
    if (run.paused || run.parent_paused)
      view.wait_reason = model::wait_reason::paused;
    else if (!run.interrupted)
      view.wait_reason = has_enough_siblings(view) ? model::wait_reason::parallel
                         : is_at_limit(view)       ? model::wait_reason::limit
                                                   : model::wait_reason::slot;
  }

  /// The declared group that a task belongs to.
  std::optional<std::uint32_t> group_of(const storage::task_row& row) const {
    const auto node = row.node_idx.value_or(row.key.task_idx);
    return graph_ && graph_->spec().has(node) ? graph_->group(node) : std::nullopt;
  }

  /// Whether as many instances of its task run as may.
  bool has_enough_siblings(const task_view& view) const {
    if (!view.node_idx)
      return false;
    const auto& limit = graph_->spec().task(*view.node_idx).fan_out->max_parallel;
    const auto active = active_instances_.find(*view.node_idx);
    return limit && active != active_instances_.end() && active->second >= *limit;
  }

  /// Whether a decided upstream is all that the join asks for, though others are open.
  bool has_fired(std::uint32_t task, std::uint32_t undecided) const {
    const auto& spec = graph_->spec();
    const auto upstreams = graph_->graph().upstreams(task);
    return std::any_of(upstreams.begin(), upstreams.end(), [&](std::uint32_t upstream) {
      if (!model::is_terminal(states_[upstream]))
        return false;
      const bool allowed =
        model::setting_of(spec, spec.task(upstream), &model::task_settings::allow_failure)
          .value_or(false);
      return logic::judge_join(spec.task(task).join.rule,
                               logic::outcome_of(states_[upstream], allowed), undecided)
             == logic::join_verdict::fire;
    });
  }

  /// As the scheduler sees it: an attempt counts until its end is known, one that stops too.
  bool is_at_limit(const task_view& view) const {
    const auto limit = graph_->spec().active_tasks;
    if (limit && active_ >= *limit)
      return true;
    const auto group = group_of(view);
    const auto active = group ? active_in_groups_.find(*group) : active_in_groups_.end();
    const auto of_group = group ? graph_->spec().groups[*group].active_tasks : std::nullopt;
    return of_group && active != active_in_groups_.end() && active->second >= *of_group;
  }

  std::shared_ptr<const logic::compiled_workflow> graph_; ///< null: nothing to work out
  std::vector<model::task_state> states_;                 ///< as stored
  std::size_t active_ = 0;
  std::unordered_map<std::uint32_t, std::size_t> active_instances_; ///< by their task
  std::unordered_map<std::uint32_t, std::size_t> active_in_groups_; ///< that are declared
  std::size_t before_finally_ = 0; ///< undecided tasks that are not of finally
};

} // namespace

std::string_view run_view::shown_state() const {
  return interrupted ? std::string_view{"interrupted"} : to_string(state);
}

std::uint32_t run_view::task_count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint32_t{0});
}

std::string_view task_view::shown_state() const {
  return interrupted ? std::string_view{"interrupted"} : to_string(shown);
}

history::history(storage::store_paths paths, std::unique_ptr<storage::reader> reader)
  : paths_(std::move(paths)), reader_(std::move(reader)) {}
history::history(history&&) noexcept = default;
history& history::operator=(history&&) noexcept = default;
history::~history() = default;

expected<history> history::open(const std::filesystem::path& store_dir) {
  storage::store_paths paths{store_dir};
  auto reader = storage::open_reader(paths);
  if (!reader)
    return tl::unexpected(std::move(reader.error()));
  return history{std::move(paths), std::move(*reader)};
}

expected<model::run_no> history::root_of(const storage::run_row& run) {
  auto root = run;
  while (root.parent) {
    auto parent = reader_->run(root.parent->run_no);
    if (!parent)
      return tl::unexpected(parent.error());
    root = std::move(*parent);
  }
  return root.run_no;
}

expected<run_view> history::viewed(storage::run_row row, const lock_view& before,
                                   const lock_view& after) {
  run_view view;
  static_cast<storage::run_row&>(view) = std::move(row);
  if (model::is_terminal(view.state))
    return view;
  storage::run_row root = view; // who executes that one has all that is part of it
  while (root.parent) {
    auto parent = reader_->run(root.parent->run_no);
    if (!parent)
      return tl::unexpected(parent.error());
    root = std::move(*parent);
    view.parent_paused = view.parent_paused || root.paused;
  }
  // Two looks, one on each side of the read: a run that ended, or a runtime that started between
  // them, is not taken for an interruption.
  view.interrupted =
    !before.executes(root.run_no, root.began_at) && !after.executes(root.run_no, root.began_at);
  return view;
}

expected<std::vector<run_view>> history::runs(const run_filter& filter) {
  storage::run_query query{
    .workflow = filter.workflow, .whole_only = filter.whole_only, .limit = filter.limit};
  const bool wants_interrupted = filter.state == "interrupted";
  if (!filter.state.empty() && !wants_interrupted) {
    query.state = model::parse_run_state(filter.state);
    if (!query.state)
      return fail(errc::invalid_argument, "'" + filter.state + "' is not the state of a run");
  }
  // Whether a run is interrupted is not stored: read all that may be, then pick.
  if (wants_interrupted || (query.state && !model::is_terminal(*query.state))) {
    query.unfinished_only = true;
    query.limit = most_unfinished;
  }
  const auto before = lock_view::look(paths_);
  auto rows = reader_->runs(query);
  if (!rows)
    return tl::unexpected(std::move(rows.error()));
  const auto after = lock_view::look(paths_);
  std::vector<run_view> views;
  for (auto& row : *rows) {
    auto view = viewed(std::move(row), before, after);
    if (!view)
      return tl::unexpected(view.error());
    if (filter.state.empty() || view->shown_state() == filter.state)
      views.push_back(std::move(*view));
    if (views.size() == filter.limit)
      break;
  }
  return views;
}

expected<run_view> history::run(std::string_view id) {
  if (id.starts_with('@')) {
    const bool failed = id == "@last-failed";
    if (!failed && id != "@last")
      return fail(errc::invalid_argument,
                  "'" + std::string{id} + "' is not a run id; there are @last and @last-failed");
    auto newest = runs({.state = failed ? "failed" : "", .limit = 1, .whole_only = true});
    if (!newest)
      return tl::unexpected(std::move(newest.error()));
    if (newest->empty())
      return fail(errc::not_found, std::string{"there is no "} + (failed ? "failed " : "")
                                     + "run in '" + paths_.dir.string() + "'");
    return std::move(newest->front());
  }
  const auto run_no = model::parse_run_no(id);
  if (!run_no)
    return tl::unexpected(run_no.error());
  const auto before = lock_view::look(paths_);
  auto row = reader_->run(*run_no);
  if (!row)
    return tl::unexpected(std::move(row.error()));
  return viewed(std::move(*row), before, lock_view::look(paths_));
}

expected<run_view> history::run_of_key(const model::idempotency_key& key, model::wall_time now) {
  const auto found = reader_->run_of_key(key.digest, now);
  if (!found)
    return tl::unexpected(found.error());
  if (!*found)
    return fail(errc::not_found, "no run of the last day has this key");
  const auto first = repeated_run(**found, key);
  return first ? run(to_string(*first)) : tl::unexpected(first.error());
}

expected<void> history::each_task(const run_view& run,
                                  const std::function<bool(const task_view&)>& visit) {
  const auto each_row = [&](const auto& use) -> expected<void> {
    for (std::uint32_t from = 0;;) {
      auto page = reader_->tasks({.run_no = run.run_no, .from_idx = from, .limit = page_size});
      if (!page)
        return tl::unexpected(std::move(page.error()));
      for (auto& row : *page) {
        from = row.key.task_idx + 1;
        if (!use(std::move(row)))
          return {};
      }
      if (page->size() < page_size)
        return {};
    }
  };
  readiness work_out;
  if (!model::is_terminal(run.state)) {
    auto graph = compiled(run.run_no);
    if (!graph)
      return tl::unexpected(std::move(graph.error()));
    work_out = readiness{std::move(*graph)};
    const auto read = each_row([&](const storage::task_row& row) {
      work_out.note(row);
      return true;
    });
    if (!read)
      return read;
  }
  return each_row([&](storage::task_row row) { return visit(work_out.view(run, std::move(row))); });
}

expected<task_view> history::shown(const run_view& run, storage::task_row row) {
  std::optional<task_view> found;
  if (row.state == model::task_state::pending && !model::is_terminal(run.state)) {
    const auto read = each_task(run, [&](const task_view& view) {
      if (view.key == row.key)
        found = view;
      return !found;
    });
    if (!read)
      return tl::unexpected(read.error());
  }
  return found ? *found : readiness{}.view(run, std::move(row));
}

expected<task_view> history::find_task(const run_view& run, const std::string& name) {
  auto exact = reader_->task(run.run_no, name);
  if (exact)
    return shown(run, std::move(*exact));
  if (exact.error().code != errc::not_found)
    return tl::unexpected(std::move(exact.error()));
  const auto index = to_number(name);
  std::vector<task_view> by_index, by_prefix;
  std::vector<std::string> names;
  std::size_t prefixed = 0;
  const auto read = each_task(run, [&](const task_view& view) {
    names.push_back(view.name);
    if (index && view.key.task_idx == *index)
      by_index.push_back(view);
    if (view.name.starts_with(name) && prefixed++ == 0)
      by_prefix.push_back(view);
    return by_index.empty();
  });
  if (!read)
    return tl::unexpected(read.error());
  if (!by_index.empty())
    return std::move(by_index.front());
  if (prefixed > 1)
    return fail(errc::conflict, std::to_string(prefixed) + " tasks of " + to_string(run.run_no)
                                  + " begin with '" + name + "'; write the whole name");
  if (prefixed == 1)
    return std::move(by_prefix.front());
  return fail(errc::not_found, "run " + to_string(run.run_no) + " has no task '" + name + "'"
                                 + model::did_you_mean(name, names));
}

expected<task_ref> history::task(std::string_view id) {
  const auto slash = id.find('/');
  if (slash == std::string_view::npos || slash + 1 == id.size())
    return fail(errc::invalid_argument,
                "'" + std::string{id} + "' is not a task id such as r-12/load"
                  + (run(id) ? "; it is a run, of which `sluice tasks` lists the tasks" : ""));
  auto found_run = run(id.substr(0, slash));
  if (!found_run)
    return tl::unexpected(std::move(found_run.error()));
  const std::string name{id.substr(slash + 1)};
  auto found = find_task(*found_run, name);
  if (found)
    return task_ref{std::move(*found_run), std::move(*found), std::nullopt};
  // The whole is no task: it may be one with the number of an attempt behind it.
  const auto hash = name.rfind('#');
  const auto attempt =
    hash == std::string::npos ? std::nullopt : to_number(std::string_view{name}.substr(hash + 1));
  if (!attempt || found.error().code != errc::not_found)
    return tl::unexpected(std::move(found.error()));
  found = find_task(*found_run, name.substr(0, hash));
  if (!found)
    return tl::unexpected(std::move(found.error()));
  if (*attempt == 0 || *attempt > found->attempt)
    return fail(errc::not_found,
                "task '" + found->name + "' has " + std::to_string(found->attempt) + " attempts");
  return task_ref{std::move(*found_run), std::move(*found), attempt};
}

expected<std::vector<storage::attempt_row>> history::attempts(model::task_key task) {
  return reader_->attempts(task);
}

expected<model::value> history::results(model::run_no run) {
  return reader_->results(run);
}

expected<std::vector<model::child_run>> history::children(model::task_key task) {
  return reader_->children(task);
}

expected<model::value> history::outputs(model::task_key task) {
  return reader_->outputs(task);
}

expected<std::optional<storage::checkpoint_row>> history::checkpoint(model::task_key task) {
  return reader_->checkpoint(task);
}

expected<std::optional<storage::snapshot_row>> history::snapshot(model::task_key task) {
  return reader_->snapshot(task);
}

expected<model::stored_gates> history::gates() {
  return reader_->gates();
}

expected<std::vector<model::switch_state>> history::switch_changes(std::size_t limit) {
  return reader_->switch_changes(limit);
}

expected<std::vector<model::store_limit>> history::store_limits() {
  return reader_->store_limits();
}

expected<std::vector<storage::waiting_gate>> history::waiting_gates() {
  return reader_->waiting_gates();
}

expected<std::int64_t> history::last_seq() {
  return reader_->last_seq();
}

expected<std::vector<model::event>> history::events(model::run_no run, std::int64_t after_seq,
                                                    std::size_t limit) {
  return reader_->events({.after_seq = after_seq, .run_no = run, .limit = limit});
}

expected<model::task_names> history::names(model::run_no run) {
  const auto spec = workflow(run);
  if (!spec)
    return tl::unexpected(spec.error());
  return reader_->instances(run).map([&](auto ranges) {
    return model::task_names{*spec, std::move(ranges)};
  });
}

expected<std::vector<budget_view>> history::budgets(const run_view& run, model::wall_time now) {
  const auto spec = workflow(run.run_no);
  if (!spec)
    return tl::unexpected(spec.error());
  std::vector<budget_view> views;
  if ((*spec)->budget)
    views.push_back({"", (*spec)->budget->limits, {}});
  for (const auto& group : (*spec)->groups)
    if (group.budget)
      views.push_back({group.name, group.budget->limits, {}});
  if (views.empty())
    return views;
  const auto all = reader_->used(run.run_no);
  const auto known = names(run.run_no);
  if (!all || !known)
    return tl::unexpected(all ? known.error() : all.error());
  for (auto use : *all) {
    if (use.under_way_since && run.is_live())
      use.used[std::size_t(model::budget_kind::time)] =
        std::max<model::amount>((now - *use.under_way_since).count(), 0);
    const auto& workflow = *known->workflow(); // it may have been given tasks since the first look
    const auto& task = workflow.task(known->node(use.task_idx));
    const auto& group = setting_of(workflow, task, &model::task_settings::group);
    for (auto& view : views)
      if (view.group.empty() || view.group == group)
        for (std::size_t kind = 0; kind < use.used.size(); ++kind)
          view.used[kind] = model::sum(view.used[kind], use.used[kind]);
  }
  return views;
}

expected<std::shared_ptr<const model::workflow_spec>> history::workflow(model::run_no run) {
  const auto row = reader_->run(run); // which is of another version when it was given tasks
  if (!row)
    return tl::unexpected(row.error());
  if (run != cached_run_ || row->version != cached_version_ || !cached_spec_) {
    auto spec = reader_->workflow(run);
    if (!spec)
      return spec;
    cached_run_ = run;
    cached_version_ = row->version;
    cached_spec_ = std::move(*spec);
    cached_graph_ = nullptr;
  }
  return cached_spec_;
}

expected<std::optional<task_view>> history::final_task(const run_view& run) {
  const auto workflow = compiled(run.run_no);
  if (!workflow)
    return tl::unexpected(workflow.error());
  const auto& graph = (*workflow)->graph();
  std::optional<std::uint32_t> last; // what comes finally is for clean-up
  for (const auto task : (*workflow)->spec().indices()) {
    if ((*workflow)->spec().is_finally(task) || !graph.dependents(task).empty())
      continue;
    if (last)
      return std::nullopt;
    last = task;
  }
  if (!last)
    return std::nullopt;
  auto row = reader_->task(run.run_no, (*workflow)->spec().task(*last).name);
  if (!row)
    return tl::unexpected(std::move(row.error()));
  return shown(run, std::move(*row)).map([](task_view view) { return std::optional{view}; });
}

expected<std::shared_ptr<const logic::compiled_workflow>> history::compiled(model::run_no run) {
  const auto spec = workflow(run);
  if (!spec)
    return tl::unexpected(spec.error());
  if (!cached_graph_) {
    auto graph = logic::compile(*spec);
    if (!graph)
      return fail(errc::corrupt, "the stored workflow of " + to_string(run)
                                   + " is not valid: " + graph.error().front().message);
    cached_graph_ = std::move(*graph);
  }
  return cached_graph_;
}

std::filesystem::path history::log_of(model::attempt_key key) const {
  return executors::log_path(paths_.logs(), key);
}

} // namespace sluice::runtime
