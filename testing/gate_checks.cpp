#include "testing/gate_checks.hpp"

#include <algorithm>

namespace sluice::testing {

std::string gate_checks::see(const model::event& event, const model::task_spec& spec,
                             bool clock_was_set) {
  const model::task_key key{event.run_no, *event.task_idx};
  std::string wrong;
  const bool waits_for_gate = event.type == model::event_type::task_waiting
                              && (is_gate(spec.action) || event.data.value("reason", "") == "gate");
  if (is_gate(spec.action) && event.attempt)
    wrong = to_string(key) + " only waits, and has an attempt";
  else if (event.type == model::event_type::task_passed)
    wrong = pass(event, spec, clock_was_set);
  waiting_.erase(key);
  due_.erase(key);
  if (!waits_for_gate)
    return wrong;
  const auto reason = model::parse_wait_reason(event.data.value("reason", ""));
  if (!reason)
    return to_string(key) + " waits for nothing that there is";
  waiting_.emplace(key, *reason);
  if (event.data.contains("due_us"))
    due_.emplace(key, model::from_us(event.data["due_us"].get<std::int64_t>()));
  return wrong;
}

std::string gate_checks::pass(const model::event& event, const model::task_spec& spec,
                              bool clock_was_set) {
  const model::task_key key{event.run_no, *event.task_idx};
  if (!is_gate(spec.action))
    return to_string(key) + " is no gate, and is let through";
  const auto* gate = std::get_if<model::gate_action>(&spec.action);
  const auto due = due_.find(key);
  const bool is_timed =
    event.actor == "scheduler" && waiting_.contains(key) && !event.data.contains("signal")
    && event.data.value("reason", "") != "gate" && event.data.value("reason", "") != "quota";
  if (is_timed && due == due_.end())
    return to_string(key) + " is let through by nobody";
  if (is_timed && !clock_was_set && event.at < due->second)
    return to_string(key) + " is let through before its time";
  if (gate == nullptr)
    return {};
  if (gate->what->which == model::gate_kind::approval && !waiting_.contains(key))
    return to_string(key) + " is approved before it was asked";
  if (!event.data.contains("signal"))
    return {};
  auto& kept = signals_[event.run_no];
  const auto taken = kept.extract(event.data["signal"].get<std::uint64_t>());
  if (!taken || taken.mapped() != gate_name(spec))
    return to_string(key) + " takes a signal that is not there, or not its own";
  for (const auto& [number, name] : kept)
    if (name == taken.mapped() && number < taken.key())
      return to_string(key) + " takes a signal before an older one";
  return {};
}

std::string gate_checks::see_signal(const model::event& event) {
  const auto number = event.data["signal"].get<std::uint64_t>();
  return signals_[event.run_no].emplace(number, event.data["name"].get<std::string>()).second
           ? ""
           : to_string(event.run_no) + " has two signals of one number";
}

std::string gate_checks::compare(const std::vector<storage::waiting_gate>& stored) const {
  std::map<model::task_key, model::wait_reason> rows;
  for (const auto& row : stored)
    rows.emplace(row.key, row.what.reason);
  return rows == waiting_ ? "" : "the gates that are stored are not those that the events tell of";
}

std::string
gate_checks::compare(const model::stored_gates& stored,
                     const std::function<const model::task_spec&(model::task_key)>& spec_of) const {
  const auto is_closed = [&](const std::string& name) {
    return std::any_of(stored.switches.begin(), stored.switches.end(),
                       [&](const auto& one) { return one.name == name && !one.is_open; });
  };
  for (const auto& [key, reason] : waiting_) {
    if (reason != model::wait_reason::gate)
      continue;
    const auto& spec = spec_of(key);
    const auto names = is_gate(spec.action)
                         ? std::vector{gate_name(spec)}
                         : spec.settings->gates.value_or(std::vector<std::string>{});
    if (std::none_of(names.begin(), names.end(), is_closed))
      return to_string(key) + " waits for a switch that is open";
  }
  return {};
}

std::string gate_checks::compare(model::run_no run,
                                 const std::vector<model::kept_signal>& stored) const {
  std::map<std::uint64_t, std::string> rows;
  for (const auto& row : stored)
    rows.emplace(row.number, row.name);
  const auto told = signals_.find(run);
  const bool is_same = told == signals_.end() ? rows.empty() : rows == told->second;
  return is_same ? ""
                 : "the signals of " + to_string(run) + " are not those that its events tell of";
}

} // namespace sluice::testing
