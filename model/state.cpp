#include "model/state.hpp"

#include <algorithm>

namespace sluice::model {
namespace {

constexpr std::array<std::string_view, task_state_count> task_states{
  "pending",    "waiting",    "ready",     "dispatched", "running",      "deferred",
  "validating", "retry_wait", "paused",    "cancelling", "rolling_back", "succeeded",
  "failed",     "skipped",    "cancelled", "rolled_back"};
constexpr std::array<std::string_view, run_state_count> run_states{
  "queued",    "running", "cancelling", "rolling_back",
  "succeeded", "failed",  "cancelled",  "rolled_back"};
constexpr std::array<std::string_view, failure_class_count> failure_classes{
  "exit",       "transient", "permanent", "timeout",   "deadline", "heartbeat", "gate",
  "validation", "resource",  "budget",    "cancelled", "lost",     "internal"};
constexpr std::array<std::string_view, wait_reason_count> wait_reasons{
  "",        "upstream",    "inputs",   "slot",     "limit",    "retry", "paused",
  "breaker", "idempotency", "hold",     "parallel", "resource", "pool",  "concurrency",
  "rate",    "wait",        "approval", "signal",   "gate",     "time",  "quota"};
constexpr std::array<std::string_view, 7> join_rules{"all_success", "none_failed", "all_failed",
                                                     "all_done",    "one_success", "one_failed",
                                                     "expression"};
constexpr std::array<std::string_view, 3> on_failures{"stop", "continue", "compensate"};
constexpr std::array<std::string_view, 2> on_exhausteds{"fail", "hold"};
constexpr std::array<std::string_view, executor_kind_count> executor_kinds{"process", "function",
                                                                           "workflow"};
constexpr std::array<std::string_view, gate_kind_count> gate_kinds{"approval", "signal", "switch",
                                                                   "time", "quota"};
constexpr std::array<std::string_view, 3> on_closeds{"wait", "fail", "skip"};
constexpr std::array<std::string_view, 3> on_expires{"reject", "approve", "skip"};
constexpr std::array<std::string_view, command_role_count> command_roles{
  "action", "fallback", "validate", "rollback", "snapshot", "compensate"};
constexpr std::array<std::string_view, 9> value_types{
  "int", "double", "bool", "string", "date", "timestamp", "list", "map", "file"};
constexpr std::array<std::string_view, 8> stop_reasons{"",      "cancel",   "timeout", "heartbeat",
                                                       "drain", "deadline", "budget",  "preempt"};
constexpr std::array<std::string_view, budget_kind_count> budget_kinds{"cost", "tokens", "time"};
constexpr std::array<std::string_view, 2> on_exceededs{"stop", "warn"};
constexpr std::array<std::string_view, 37> event_types{
  "run_submitted",   "run_cancelling",    "run_rolling_back", "run_finished",    "run_retried",
  "run_paused",      "run_resumed",       "run_started",      "run_signalled",   "tasks_added",
  "task_expanded",   "task_dispatched",   "task_finished",    "task_lost",       "task_retrying",
  "task_due",        "task_waiting",      "task_held",        "task_released",   "task_fallback",
  "task_validating", "task_rolling_back", "task_skipped",     "task_cancelling", "task_cancelled",
  "task_failed",     "task_paused",       "task_resumed",     "task_reset",      "task_marked",
  "task_reused",     "task_passed",       "task_warning",     "task_checkpoint", "task_snapshot",
  "task_progress",   "task_usage"};
constexpr std::array<std::string_view, timer_kind_count> timer_kinds{
  "retry", "deadline", "queue_timeout", "breaker", "timeout", "timebox", "budget", "gate"};

template <class Enum, class Names>
std::string_view name_of(Enum e, const Names& names) {
  const auto i = static_cast<std::size_t>(e);
  return i < names.size() ? names[i] : std::string_view{"?"};
}

template <class Enum, class Names>
std::optional<Enum> find_name(std::string_view name, const Names& names) {
  const auto it = std::find(names.begin(), names.end(), name);
  if (name.empty() || it == names.end())
    return std::nullopt;
  return static_cast<Enum>(it - names.begin());
}

} // namespace

std::string_view to_string(task_state s) {
  return name_of(s, task_states);
}
std::string_view to_string(run_state s) {
  return name_of(s, run_states);
}
std::string_view to_string(failure_class c) {
  return name_of(c, failure_classes);
}
std::string_view to_string(wait_reason r) {
  return name_of(r, wait_reasons);
}
std::string_view to_string(join_rule j) {
  return name_of(j, join_rules);
}
std::string_view to_string(on_failure f) {
  return name_of(f, on_failures);
}
std::string_view to_string(on_exhausted e) {
  return name_of(e, on_exhausteds);
}
std::string_view to_string(gate_kind k) {
  return name_of(k, gate_kinds);
}
std::string_view to_string(on_closed c) {
  return name_of(c, on_closeds);
}
std::string_view to_string(on_expire e) {
  return name_of(e, on_expires);
}
std::string_view to_string(executor_kind k) {
  return name_of(k, executor_kinds);
}
std::string_view to_string(command_role r) {
  return name_of(r, command_roles);
}
std::string_view to_string(value_type t) {
  return name_of(t, value_types);
}
std::string_view to_string(stop_reason r) {
  return name_of(r, stop_reasons);
}
std::string_view to_string(event_type t) {
  return name_of(t, event_types);
}
std::string_view to_string(timer_kind k) {
  return name_of(k, timer_kinds);
}
std::string_view to_string(budget_kind k) {
  return name_of(k, budget_kinds);
}
std::string_view to_string(on_exceeded e) {
  return name_of(e, on_exceededs);
}

std::optional<task_state> parse_task_state(std::string_view name) {
  if (const auto exact = find_name<task_state>(name, task_states))
    return exact;
  if (name == "queued" || name == "READY")
    return task_state::ready;
  if (name == "PENDING")
    return task_state::pending;
  if (name == "COMPLETE" || name == "COMPLETED" || name == "completed" || name == "success")
    return task_state::succeeded;
  if (name == "ROLLED_BACK")
    return task_state::rolled_back;
  return std::nullopt;
}
std::optional<run_state> parse_run_state(std::string_view name) {
  return find_name<run_state>(name, run_states);
}
std::optional<failure_class> parse_failure_class(std::string_view name) {
  return find_name<failure_class>(name, failure_classes);
}
std::optional<wait_reason> parse_wait_reason(std::string_view name) {
  return find_name<wait_reason>(name, wait_reasons);
}
std::optional<join_rule> parse_join_rule(std::string_view name) {
  return find_name<join_rule>(name, join_rules);
}
std::optional<on_failure> parse_on_failure(std::string_view name) {
  return find_name<on_failure>(name, on_failures);
}
std::optional<on_exhausted> parse_on_exhausted(std::string_view name) {
  return find_name<on_exhausted>(name, on_exhausteds);
}
std::optional<gate_kind> parse_gate_kind(std::string_view name) {
  return find_name<gate_kind>(name, gate_kinds);
}
std::optional<on_closed> parse_on_closed(std::string_view name) {
  return find_name<on_closed>(name, on_closeds);
}
std::optional<on_expire> parse_on_expire(std::string_view name) {
  return find_name<on_expire>(name, on_expires);
}
std::optional<executor_kind> parse_executor_kind(std::string_view name) {
  return find_name<executor_kind>(name, executor_kinds);
}
std::optional<command_role> parse_command_role(std::string_view name) {
  return find_name<command_role>(name, command_roles);
}
std::optional<value_type> parse_value_type(std::string_view name) {
  return find_name<value_type>(name, value_types);
}
std::optional<event_type> parse_event_type(std::string_view name) {
  return find_name<event_type>(name, event_types);
}
std::optional<timer_kind> parse_timer_kind(std::string_view name) {
  return find_name<timer_kind>(name, timer_kinds);
}
std::optional<budget_kind> parse_budget_kind(std::string_view name) {
  return find_name<budget_kind>(name, budget_kinds);
}
std::optional<on_exceeded> parse_on_exceeded(std::string_view name) {
  return find_name<on_exceeded>(name, on_exceededs);
}

std::span<const std::string_view> task_state_names() {
  return task_states;
}
std::span<const std::string_view> run_state_names() {
  return run_states;
}
std::span<const std::string_view> failure_class_names() {
  return failure_classes;
}
std::span<const std::string_view> join_rule_names() {
  return join_rules;
}
std::span<const std::string_view> on_failure_names() {
  return on_failures;
}
std::span<const std::string_view> gate_kind_names() {
  return gate_kinds;
}
std::span<const std::string_view> on_closed_names() {
  return on_closeds;
}
std::span<const std::string_view> on_expire_names() {
  return on_expires;
}
std::span<const std::string_view> value_type_names() {
  return value_types;
}
std::span<const std::string_view> event_type_names() {
  return event_types;
}
std::span<const std::string_view> executor_kind_names() {
  return executor_kinds;
}
std::span<const std::string_view> command_role_names() {
  return command_roles;
}
std::span<const std::string_view> timer_kind_names() {
  return timer_kinds;
}
std::span<const std::string_view> budget_kind_names() {
  return budget_kinds;
}

} // namespace sluice::model
