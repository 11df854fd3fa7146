#include "cli/live_waits.hpp"

#include "api/client.hpp"
#include "runtime/socket_path.hpp"

#include <algorithm>

namespace sluice::cli {
namespace {

bool waits_for_slot(const runtime::task_view& task) {
  return task.wait_reason == model::wait_reason::slot;
}

/// The pairs of an index and a reason; null when there is no answer.
model::value ask_for_waits(const session& s, const runtime::run_view& run, std::uint32_t from,
                           std::uint32_t to) {
  const auto socket = runtime::find_socket(s.store_dir);
  if (!socket)
    return {};
  const auto answer =
    api::ask(*socket, {.target = "/api/v1/runs/" + to_string(run.run_no) + "/waits?from="
                                 + std::to_string(from) + "&to=" + std::to_string(to)});
  const auto parsed =
    answer && answer->status == 200 ? model::parse_json(answer->body) : expected<model::value>{};
  return parsed && parsed->is_object() ? parsed->value("waits", model::value{}) : model::value{};
}

} // namespace

void add_live_waits(const session& s, const runtime::run_view& run,
                    std::vector<runtime::task_view>& tasks) {
  const auto first = std::find_if(tasks.begin(), tasks.end(), waits_for_slot);
  const auto last = std::find_if(tasks.rbegin(), tasks.rend(), waits_for_slot);
  if (!run.is_live() || first == tasks.end())
    return;
  for (const auto& wait : ask_for_waits(s, run, first->key.task_idx, last->key.task_idx)) {
    const auto own = std::lower_bound(
      tasks.begin(), tasks.end(), wait.at(0).get<std::uint32_t>(),
      [](const runtime::task_view& task, std::uint32_t idx) { return task.key.task_idx < idx; });
    const auto reason = model::parse_wait_reason(wait.at(1).get<std::string>());
    if (own != tasks.end() && own->key.task_idx == wait.at(0) && waits_for_slot(*own) && reason)
      own->wait_reason = *reason;
  }
}

} // namespace sluice::cli
