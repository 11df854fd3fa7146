#include "cli/control.hpp"

#include "api/bodies.hpp"
#include "cli/remote.hpp"
#include "runtime/liveness.hpp"
#include "runtime/orchestrator.hpp"

#include <future>

namespace sluice::cli {
namespace {

expected<model::control_result> carry_out_here(const session& s, const control_order& order) {
  const auto node = runtime::orchestrator::start(
    {.store_dir = s.store_dir,
     .command = "sluice " + order.verb + (order.run.value == 0 ? "" : " " + to_string(order.run))});
  if (!node)
    return tl::unexpected(node.error());
  std::promise<expected<model::control_result>> answered;
  auto answer = answered.get_future();
  (*node)->control(order.run, order.what, "operator",
                   [&](expected<model::control_result> r) { answered.set_value(std::move(r)); });
  return answer.get(); // with `timeout` at the latest
}

} // namespace

tl::expected<model::control_result, int> carry_out(session& s, const control_order& order) {
  if (runtime::lock_view::look({s.store_dir}).is_held()) {
    const auto answer = ask_holder(
      s, {.verb = api::verb::post,
          .target = order.target.empty() ? "/api/v1/runs/" + to_string(order.run) + "/" + order.verb
                                         : order.target,
          .body = model::to_text(order.body)});
    if (!answer)
      return tl::unexpected(answer.error());
    if (auto done = api::read_control_result(*answer))
      return std::move(*done);
    return tl::unexpected(s.fail("the runtime's answer is not understood", exit_internal));
  }
  auto done = carry_out_here(s, order);
  if (!done)
    return tl::unexpected(s.fail(done.error()));
  return std::move(*done);
}

} // namespace sluice::cli
