#include "runtime/workflow_keys.hpp"

#include "model/nearest_name.hpp"

#include <algorithm>

namespace sluice::runtime {
namespace {

constexpr auto W = static_cast<std::uint16_t>(key_level::workflow);
constexpr auto D = static_cast<std::uint16_t>(key_level::defaults);
constexpr auto T = static_cast<std::uint16_t>(key_level::task);
constexpr auto L = static_cast<std::uint16_t>(key_level::limits);
constexpr auto P = static_cast<std::uint16_t>(key_level::param);
constexpr auto R = static_cast<std::uint16_t>(key_level::retry);
constexpr auto C = static_cast<std::uint16_t>(key_level::checkpoint);
constexpr auto N = static_cast<std::uint16_t>(key_level::child);
constexpr auto A = static_cast<std::uint16_t>(key_level::command);
constexpr auto G = static_cast<std::uint16_t>(key_level::group);
constexpr auto M = static_cast<std::uint16_t>(key_level::group_limits);
constexpr auto B = static_cast<std::uint16_t>(key_level::budget);
constexpr auto K = static_cast<std::uint16_t>(key_level::concurrency);
constexpr auto S = static_cast<std::uint16_t>(key_level::rate);

/// In the order of the format's documentation.
constexpr key_row table[] = {
  {"workflow", W, file_key::workflow},
  {"description", W | P, file_key::description},
  {"labels", W, file_key::labels},
  {"params", W, file_key::params},
  {"defaults", W, file_key::defaults},
  {"tasks", W, file_key::tasks},
  {"finally", W, file_key::finally},
  {"run", T | A, file_key::run},
  {"exec", T | A, file_key::exec},
  {"call", T | A, file_key::call},
  {"workflow", T, file_key::child},
  {"gate", T, file_key::gate},
  {"wait", T, file_key::wait},
  {"cloudrun", T, file_key::later},
  {"after", T, file_key::after},
  {"join", T, file_key::join},
  {"when", T, file_key::when},
  {"in", T, file_key::in},
  {"out", W | T, file_key::out},
  {"env", W | D | T, file_key::env},
  {"workdir", W | D | T, file_key::workdir},
  {"shell", W | D | T, file_key::shell},
  {"timeout", W | D | T, file_key::timeout},
  {"queue_timeout", W | D | T, file_key::queue_timeout},
  {"deadline", W | D | T, file_key::deadline},
  {"heartbeat", W | D | T, file_key::heartbeat},
  {"retry", D | T, file_key::retry},
  {"crash_limit", D | T, file_key::crash_limit},
  {"on_exhausted", D | T, file_key::on_exhausted},
  {"allow_failure", D | T, file_key::allow_failure},
  {"fallback", D | T, file_key::fallback},
  {"foreach", T, file_key::foreach},
  {"as", T, file_key::as},
  {"key", T, file_key::key},
  {"matrix", T, file_key::matrix},
  {"shard", T, file_key::shard},
  {"max_parallel", T, file_key::max_parallel},
  {"max_failures", T, file_key::max_failures},
  {"min_success", T, file_key::min_success},
  {"priority", W | D | T, file_key::priority},
  {"preemptible", W | D | T, file_key::preemptible},
  {"group", W | D | T, file_key::group},
  {"groups", W, file_key::groups},
  {"resources", D | T, file_key::resources},
  {"pool", D | T, file_key::pool},
  {"requires", D | T, file_key::later},
  {"concurrency", D | T, file_key::concurrency},
  {"rate", D | T, file_key::rate},
  {"limits", W | G, file_key::limits},
  {"budget", W | G, file_key::budget},
  {"on_failure", W, file_key::on_failure},
  {"notify", W, file_key::later},
  {"schedule", W, file_key::later},
  {"triggers", W, file_key::later},
  {"checkpoint", D | T, file_key::checkpoint},
  {"validate", D | T, file_key::validate},
  {"snapshot", D | T, file_key::snapshot},
  {"rollback", D | T, file_key::rollback},
  {"compensate", D | T, file_key::compensate},
  {"cache", D | T, file_key::later},
  {"idempotency", D | T, file_key::idempotency},
  {"secrets", D | T, file_key::secrets},
  {"name", T, file_key::name},
  {"on_closed", T, file_key::on_closed},
  {"prompt", T, file_key::prompt},
  {"form", T, file_key::form},
  {"expires", T, file_key::expires},
  {"on_expire", T, file_key::on_expire},
  {"between", T, file_key::between},
  {"days", T, file_key::days},
  {"zone", T, file_key::zone},
  {"max", T, file_key::quota_max},
  {"per", T, file_key::per},
  {"gates", D | T, file_key::gates},
  {"file", N, file_key::file},
  {"params", N, file_key::params},
  {"name", N, file_key::later},
  {"timebox", G, file_key::timebox},
  {"cost", B, file_key::cost},
  {"tokens", B, file_key::tokens},
  {"time", B, file_key::time},
  {"on_exceeded", B, file_key::on_exceeded},
  {"split", B, file_key::split},
  {"active_tasks", L | M, file_key::active_tasks},
  {"active_runs", L, file_key::active_runs},
  {"max", C, file_key::checkpoint_max},
  {"type", P, file_key::type},
  {"default", P, file_key::default_value},
  {"enum", P, file_key::choices},
  {"max", R, file_key::max},
  {"base", R, file_key::base},
  {"factor", R, file_key::factor},
  {"cap", R, file_key::cap},
  {"jitter", R, file_key::jitter},
  {"on", R, file_key::on},
  {"stop_on", R, file_key::stop_on},
  {"key", K | S, file_key::key},
  {"max", K | S, file_key::max},
  {"per", S, file_key::per},
};

/// What other systems call it: who comes from there is told the name it has here.
constexpr struct {
  std::string_view theirs, ours;
} names_elsewhere[] = {
  {"name", "workflow"},
  {"id", "workflow"},
  {"dag_id", "workflow"},
  {"jobs", "tasks"},
  {"steps", "tasks"},
  {"stages", "tasks"},
  {"inputs", "params"},
  {"parameters", "params"},
  {"needs", "after"},
  {"depends", "after"},
  {"depends_on", "after"},
  {"dependsOn", "after"},
  {"dependencies", "after"},
  {"upstream", "after"},
  {"command", "run"},
  {"cmd", "run"},
  {"script", "run"},
  {"bash", "run"},
  {"args", "exec"},
  {"uses", "workflow"},
  {"if", "when"},
  {"condition", "when"},
  {"trigger_rule", "join"},
  {"inputs", "in"},
  {"outputs", "out"},
  {"environment", "env"},
  {"cwd", "workdir"},
  {"working_dir", "workdir"},
  {"working_directory", "workdir"},
  {"working-directory", "workdir"},
  {"timeout_seconds", "timeout"},
  {"timeout-minutes", "timeout"},
  {"retries", "retry"},
  {"with_items", "foreach"},
  {"continue_on_error", "allow_failure"},
  {"continue-on-error", "allow_failure"},
  {"ignore_errors", "allow_failure"},
};

/// Nothing, when what it is called here has no place there.
std::string_view name_here(std::string_view name, key_level where) {
  for (const auto& [theirs, ours] : names_elsewhere)
    if (const auto* row = theirs == name ? find_key(ours, where) : nullptr)
      return row->name;
  return {};
}

bool stands_in(const key_row& row, key_level where) {
  return (row.where & static_cast<std::uint16_t>(where)) != 0;
}

} // namespace

const key_row* find_key(std::string_view name, key_level where) {
  const auto row = std::find_if(std::begin(table), std::end(table), [&](const key_row& r) {
    return r.name == name && stands_in(r, where);
  });
  return row == std::end(table) ? nullptr : row;
}

std::string unknown_key(std::string_view name, key_level where) {
  if (name == "<<")
    return "merge keys are no part of YAML 1.2; use 'defaults'";
  const auto unknown = "unknown key '" + std::string{name} + "'";
  if (const auto ours = name_here(name, where); !ours.empty())
    return unknown + "; it is '" + std::string{ours} + "' here";
  std::vector<std::string> candidates;
  for (const auto& row : table)
    if (stands_in(row, where) && row.key != file_key::later)
      candidates.emplace_back(row.name);
  return unknown + model::did_you_mean(name, candidates);
}

std::string not_in_this_version(std::string_view name) {
  return "'" + std::string{name} + "' is not in this version";
}

} // namespace sluice::runtime
