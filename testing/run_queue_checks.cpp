#include "testing/run_queue_checks.hpp"

#include <algorithm>

namespace sluice::testing {

std::string run_queue_checks::see(const model::event& event, const model::workflow_spec& spec) {
  const auto to = model::parse_run_state(event.to);
  if (!to)
    return {};
  const bool is_new = event.type == model::event_type::run_submitted;
  auto& own = runs_[event.run_no];
  if (is_new) {
    std::size_t level = 0;
    if (event.data.contains("parent")) {
      const auto parent = event.data["parent"].get<std::string>();
      level = runs_.at(*model::parse_run_no(parent.substr(0, parent.find('/')))).line.first + 1;
    }
    own.line = {level, spec.name};
  }
  std::size_t active = 0, queued = 0;
  for (const auto& [run, other] : runs_) {
    const bool is_beside = run != event.run_no && other.line == own.line;
    active += is_beside && other.is_active ? 1 : 0;
    queued += is_beside && other.is_queued ? 1 : 0;
  }
  own.is_queued = *to == model::run_state::queued;
  own.is_active = !own.is_queued && !is_terminal(*to);
  const bool begins = own.is_active && (is_new || event.type == model::event_type::run_started);
  const auto most = spec.active_runs;
  if (begins && most && active >= *most)
    return to_string(event.run_no) + " begins beside " + std::to_string(active) + " others";
  if (own.is_queued && (!most || (active < *most && queued == 0)))
    return to_string(event.run_no) + " is queued behind nobody";
  return {};
}

} // namespace sluice::testing
