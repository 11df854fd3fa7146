// What people allow for the whole store: fewer slots, less of a resource, pools of a size, and
// workflows that get more than others. What runs goes on; it counts for what may start.
#include "logic/scheduler_core.hpp"

#include <algorithm>

namespace sluice::logic {

using model::capacity_kind;
using model::limit_kind;
using model::value;

expected<model::control_result> scheduler_core::set(const model::set_store_limit& asked) {
  auto what = asked.what;
  what.changed_at = now_;
  const std::pair key{what.kind, what.name};
  const auto known = store_limits_.find(key);
  if (!what.amount && known == store_limits_.end())
    return fail(errc::not_found, "nothing is set for " + title_of(what));
  if (what.amount && known == store_limits_.end()
      && store_limits_.size() >= model::most_store_limits)
    return fail(errc::conflict,
                "a store has at most " + std::to_string(model::most_store_limits) + " of them");
  if (what.amount)
    store_limits_.insert_or_assign(key, what);
  else
    store_limits_.erase(known);
  apply(what);
  step_.limits.push_back(std::move(what));
  return model::control_result{};
}

void scheduler_core::apply(const model::store_limit& what) {
  switch (what.kind) {
  case limit_kind::slots:
    allowed_slots_ = what.amount ? std::optional{std::uint32_t(*what.amount)} : std::nullopt;
    judge_slots();
    return;
  case limit_kind::resource:
    for (const auto& [name, has] : options_.capacity.resources)
      if (name == what.name)
        capacity_->set_limit(capacity_kind::resource, name,
                             std::min(has, what.amount.value_or(has)));
    return;
  case limit_kind::pool:
    capacity_->set_limit(capacity_kind::pool, what.name, what.amount);
    return;
  case limit_kind::workflow_share:
    for (auto& order : order_)
      order.set_weight_of_workflow(what.name, weight(what.amount.value_or(1)));
    return;
  case limit_kind::user_share:
    for (auto& order : order_)
      order.set_weight_of_user(what.name, weight(what.amount.value_or(1)));
    return;
  }
}

/// As many slots as there are for what is ready, and as people allow.
void scheduler_core::judge_slots() {
  const auto pool = std::size_t(capacity_pool::slots);
  scaling_.judge(order_[pool].open_size(), now_);
  limit_[pool] = std::min(scaling_.slots(), allowed_slots_.value_or(scaling_.slots()));
}

/// All that is limited, or has been set.
value scheduler_core::limits() const {
  auto rest = store_limits_;
  auto all = value::array();
  const auto add = [&](limit_kind kind, const std::string& name, std::int64_t has,
                       std::int64_t used) {
    model::store_limit what{.kind = kind, .name = name, .amount = {}, .by = {}, .changed_at = {}};
    if (const auto set = rest.extract({kind, name}))
      what = set.mapped();
    auto v = to_json(what);
    const auto text = [&](std::int64_t amount) {
      what.amount = amount;
      return amount_text(what);
    };
    if (kind != limit_kind::pool)
      v["has"] = text(has);
    v["used"] = text(used);
    all.push_back(std::move(v));
  };
  add(limit_kind::slots, "", scaling_.slots(), busy_[std::size_t(capacity_pool::slots)]);
  for (const auto& stock : capacity_->stocks())
    add(stock.need.kind == capacity_kind::pool ? limit_kind::pool : limit_kind::resource,
        stock.need.name, stock.need.amount, stock.used);
  for (const auto& [key, what] : rest)
    all.push_back(to_json(what));
  return all;
}

} // namespace sluice::logic
