#include "logic/capacity_ledger.hpp"

#include "model/nearest_name.hpp"

#include <algorithm>

namespace sluice::logic {
namespace {

using model::capacity_kind;

constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();
/// A resource that is told apart is given in whole units, or as a part of one.
constexpr std::int64_t whole = 1'000;
/// So many of those that have waited longest are looked at for one that what it lacks is kept for.
constexpr int most_candidates = 16;

std::string text_of(const capacity_demand& demand) {
  std::string text;
  for (const auto& alternative : demand) {
    text += '|';
    for (const auto& need : alternative)
      text += std::to_string(int(need.kind)) + std::to_string(need.amount) + '/'
              + std::to_string(need.limit) + '/' + std::to_string(need.per.count()) + '/'
              + std::to_string(need.name.size()) + need.name;
  }
  return text;
}

/// It comes back when attempts end; of keys and rates nothing is gained by keeping some.
bool can_be_reserved(const stock& what) {
  return what.kind == capacity_kind::resource || what.kind == capacity_kind::pool;
}

bool is_told_apart(const stock& what) {
  return what.kind == capacity_kind::resource && model::has_indices(what.name);
}

bool has_units_for(const stock& what, const std::vector<std::int64_t>& units, std::int64_t amount) {
  if (!is_told_apart(what))
    return true;
  const auto end = units.begin() + std::min(what.limit / whole, std::int64_t(units.size()));
  if (amount < whole)
    return std::any_of(units.begin(), end, [&](auto left) { return left >= amount; });
  return std::count(units.begin(), end, whole) >= amount / whole;
}

/// Better ones are less.
std::int64_t badness(std::int64_t left, model::placement how) {
  switch (how) {
  case model::placement::best_fit:
    return left;
  case model::placement::pack:
    return 0;
  case model::placement::spread:
    return -left;
  }
  return 0;
}

/// @pre there are enough
std::vector<std::uint32_t> use_units(stock& what, std::int64_t amount, model::placement how) {
  std::vector<std::uint32_t> used;
  const auto count =
    static_cast<std::uint32_t>(std::min(what.limit / whole, std::int64_t(what.units.size())));
  for (auto left = amount; left > 0; left -= whole) {
    const auto part = std::min(left, whole);
    auto best = count;
    for (std::uint32_t i = 0; i < count; ++i)
      if (what.units[i] >= part
          && (best == count || badness(what.units[i], how) < badness(what.units[best], how)))
        best = i;
    what.units.at(best) -= part;
    used.push_back(best);
  }
  return used;
}

void change_units(std::vector<std::int64_t>& units, const std::vector<std::uint32_t>& indices,
                  std::int64_t amount) {
  for (const auto index : indices) {
    if (index >= units.size())
      units.resize(index + 1, whole); // of a node that had more of them
    units[index] += amount > 0 ? std::min(amount, whole) : std::max(amount, -whole);
  }
}

} // namespace

bool is_before::operator()(const capacity_waiter* one, const capacity_waiter* other) const {
  return one->place_.is_before(other->place_);
}

capacity_waiter::~capacity_waiter() {
  if (among_ != nullptr)
    among_->forget(*this);
}

capacity_ledger::capacity_ledger(options what) : options_(std::move(what)) {
  for (const auto& [name, amount] : options_.resources)
    set_limit(capacity_kind::resource, name, amount);
}

capacity_ledger::~capacity_ledger() {
  for (const auto& [since, who] : hungry_)
    who->among_ = nullptr;
  if (reserver_ != nullptr)
    reserver_->among_ = nullptr;
}

// --- shapes --------------------------------------------------------------------------------------

stock& capacity_ledger::find_or_add(capacity_kind kind, const std::string& name) {
  const auto [found, is_new] = stocks_.try_emplace({kind, name});
  auto& what = found->second;
  if (is_new) {
    what.kind = kind;
    what.name = name;
    what.limit = what.most = kind == capacity_kind::resource ? 0 : unlimited;
  }
  return what;
}

void capacity_ledger::release(stock& what) {
  if (what.references > 0)
    --what.references;
  if (what.references == 0 && what.used == 0 && !what.is_configured)
    stocks_.erase({what.kind, what.name});
}

shape_id capacity_ledger::hold(const capacity_demand& demand) {
  auto text = text_of(demand);
  const auto [known, is_new] = by_text_.try_emplace(std::move(text), last_shape_ + 1);
  if (!is_new) {
    ++shapes_.at(known->second).tasks;
    return known->second;
  }
  auto& made = shapes_[++last_shape_];
  made.text = known->first;
  made.tasks = 1;
  for (const auto& alternative : demand) {
    auto& needs = made.alternatives.emplace_back();
    for (const auto& wanted : alternative) {
      auto& of = find_or_add(wanted.kind, wanted.name);
      ++of.references;
      needs.push_back({&of, wanted.amount, wanted.limit, wanted.per});
    }
  }
  return last_shape_;
}

void capacity_ledger::let_go(shape_id id) {
  auto& what = shapes_.at(id);
  if (--what.tasks == 0)
    while (!what.waiting.empty()) // for nothing
      wake(**what.waiting.begin());
  remove_if_unused(id);
}

void capacity_ledger::remove_if_unused(shape_id id) {
  const auto found = shapes_.find(id);
  if (found == shapes_.end() || found->second.tasks > 0 || !found->second.waiting.empty())
    return;
  const auto gone = std::move(found->second);
  shapes_.erase(found);
  by_text_.erase(gone.text);
  for (const auto& needs : gone.alternatives)
    for (const auto& wanted : needs)
      release(*wanted.of);
}

std::optional<std::string> capacity_ledger::why_never(shape_id id) const {
  std::string why, nearest;
  for (const auto& needs : shapes_.at(id).alternatives) {
    const auto missing = std::find_if(needs.begin(), needs.end(), [](const need& wanted) {
      return wanted.of->kind == capacity_kind::resource && wanted.amount > wanted.of->most;
    });
    if (missing == needs.end())
      return std::nullopt;
    const auto& name = missing->of->name;
    why +=
      (why.empty() ? "needs " : ", or ") + name + " " + model::amount_text(name, missing->amount);
    if (missing->of->most > 0) {
      why += " of " + model::amount_text(name, missing->of->most);
      continue;
    }
    std::vector<std::string> known;
    for (const auto& [key, of] : stocks_)
      if (of.is_configured && of.kind == capacity_kind::resource)
        known.push_back(of.name);
    nearest = nearest.empty() ? model::did_you_mean(name, known) : nearest;
    why += " of none";
  }
  return why + "; that is all that this node has" + nearest;
}

std::vector<std::vector<shortage>> capacity_ledger::shortages(shape_id id) const {
  std::vector<std::vector<shortage>> all;
  for (const auto& needs : shapes_.at(id).alternatives) {
    auto& of_one = all.emplace_back();
    for (const auto& wanted : needs) {
      const auto& of = *wanted.of;
      of_one.push_back({{of.kind, of.name, wanted.amount, wanted.limit, wanted.per},
                        std::min(of.limit, wanted.limit),
                        of.used,
                        reserved_of(of, nullptr),
                        fits(wanted, nullptr)});
    }
  }
  return all;
}

// --- attempts ------------------------------------------------------------------------------------

std::int64_t capacity_ledger::reserved_of(const stock& what, const capacity_waiter* who) const {
  if (reserver_ == nullptr || who == reserver_)
    return 0;
  for (const auto& [of, amount] : reservation_)
    if (of == &what)
      return amount;
  return 0;
}

bool capacity_ledger::fits(const need& wanted, const capacity_waiter* who) const {
  const auto& of = *wanted.of;
  const auto left = std::min(of.limit, wanted.limit) - of.used;
  return wanted.amount + reserved_of(of, who) <= left && has_units_for(of, of.units, wanted.amount);
}

std::optional<std::uint32_t> capacity_ledger::fitting(const capacity_waiter& who) const {
  const auto& alternatives = shapes_.at(who.shape()).alternatives;
  for (std::uint32_t i = 0; i < alternatives.size(); ++i)
    if (std::all_of(alternatives[i].begin(), alternatives[i].end(),
                    [&](const need& wanted) { return fits(wanted, &who); }))
      return i;
  return std::nullopt;
}

std::optional<std::uint32_t>
capacity_ledger::fitting_without(const capacity_waiter& who,
                                 const std::vector<const model::capacity_grant*>& grants) const {
  const auto would_fit = [&](const need& wanted) {
    const auto& of = *wanted.of;
    auto used = of.used;
    auto units = of.units;
    for (const auto* grant : grants)
      for (const auto& taken : grant->taken) {
        if (taken.kind != of.kind || taken.name != of.name || of.kind == capacity_kind::rate)
          continue;
        used -= taken.amount;
        if (is_told_apart(of))
          change_units(units, grant->indices, taken.amount);
      }
    return wanted.amount + reserved_of(of, &who) <= std::min(of.limit, wanted.limit) - used
           && has_units_for(of, units, wanted.amount);
  };
  const auto& alternatives = shapes_.at(who.shape()).alternatives;
  for (std::uint32_t i = 0; i < alternatives.size(); ++i)
    if (std::all_of(alternatives[i].begin(), alternatives[i].end(), would_fit))
      return i;
  return std::nullopt;
}

bool capacity_ledger::lacks_some_of(const capacity_waiter& who,
                                    const model::capacity_grant& grant) const {
  for (const auto& needs : shapes_.at(who.shape()).alternatives)
    for (const auto& wanted : needs)
      if (!fits(wanted, &who))
        for (const auto& taken : grant.taken)
          if (taken.kind == wanted.of->kind && taken.name == wanted.of->name)
            return true;
  return false;
}

model::capacity_grant capacity_ledger::take(capacity_waiter& who, std::uint32_t alternative,
                                            model::wall_time now) {
  const auto& needs = shapes_.at(who.shape()).alternatives.at(alternative);
  model::capacity_grant grant;
  grant.alternative = alternative;
  for (const auto& wanted : needs) {
    auto& of = *wanted.of;
    grant.taken.push_back({of.kind, of.name, wanted.amount, wanted.limit, wanted.per});
    of.used += wanted.amount;
    if (of.kind == capacity_kind::rate)
      add_return(of, wanted.amount, wanted.per, now);
    if (is_told_apart(of))
      grant.indices = use_units(of, wanted.amount, options_.placement);
  }
  if (who.hungry_since_)
    hungry_.erase({*std::exchange(who.hungry_since_, std::nullopt), &who});
  who.among_ = nullptr;
  no_longer_woken(who, room::left);
  if (&who == reserver_)
    end_reservation();
  for (const auto& wanted : needs)
    wake_first(*wanted.of); // there may be enough for the next one too
  return grant;
}

void capacity_ledger::take_again(const model::capacity_grant& grant, model::wall_time since) {
  for (const auto& taken : grant.taken) {
    auto& of = find_or_add(taken.kind, taken.name);
    of.used += taken.amount;
    if (taken.kind == capacity_kind::rate)
      add_return(of, taken.amount, taken.per, since);
    if (is_told_apart(of))
      change_units(of.units, grant.indices, -taken.amount);
  }
}

void capacity_ledger::give_back(const model::capacity_grant& grant) {
  for (const auto& taken : grant.taken) {
    if (taken.kind == capacity_kind::rate)
      continue;
    auto& of = stocks_.at({taken.kind, taken.name});
    of.used -= taken.amount;
    if (is_told_apart(of))
      change_units(of.units, grant.indices, taken.amount);
    ++of.references; // stays while it is looked at
    wake_first(of);
    release(of);
  }
}

void capacity_ledger::add_return(stock& what, std::int64_t amount, model::milliseconds per,
                                 model::wall_time now) {
  for (; amount > 0; --amount)
    returning_.insert({now + per, per, &what});
}

// --- those that wait -----------------------------------------------------------------------------

void capacity_ledger::park(capacity_waiter& who, const waiting_place& place, model::wall_time now) {
  auto& of_shape = shapes_.at(who.shape());
  who.among_ = this;
  who.place_ = place;
  bool lacks_the_same = false;
  for (const auto& needs : of_shape.alternatives) {
    const auto missing = std::find_if(needs.begin(), needs.end(),
                                      [&](const need& wanted) { return !fits(wanted, &who); });
    auto& of = *missing->of;
    const std::pair at{&of, std::min(of.limit, missing->limit) - missing->amount};
    lacks_the_same = lacks_the_same || at == who.woken_by_;
    if (std::find(who.waits_for_.begin(), who.waits_for_.end(), at) != who.waits_for_.end())
      continue;
    of.waiting[at.second].insert(&who);
    who.waits_for_.push_back(at);
    waiting_for_rates_ += of.kind == capacity_kind::rate ? 1 : 0;
  }
  of_shape.waiting.insert(&who);
  if (!who.hungry_since_) {
    who.hungry_since_ = now;
    hungry_.emplace(now, &who);
  }
  no_longer_woken(who, lacks_the_same ? room::used : room::left);
}

void capacity_ledger::unpark(capacity_waiter& who) {
  for (const auto& [of, threshold] : who.waits_for_) {
    const auto at = of->waiting.find(threshold);
    at->second.erase(&who);
    if (at->second.empty())
      of->waiting.erase(at);
    waiting_for_rates_ -= of->kind == capacity_kind::rate ? 1 : 0;
  }
  who.waits_for_.clear();
  shapes_.at(who.shape()).waiting.erase(&who);
}

void capacity_ledger::wake(capacity_waiter& who) {
  unpark(who);
  woken_.push_back(&who);
}

std::vector<capacity_waiter*> capacity_ledger::take_woken() {
  return std::exchange(woken_, {});
}

/// Of those that wait for as much of it the first, if that is there.
void capacity_ledger::wake_first(stock& what) {
  std::vector<std::pair<capacity_waiter*, std::int64_t>> first;
  for (const auto& [threshold, waiting] : what.waiting) {
    if (what.used > threshold)
      break;
    first.emplace_back(*waiting.begin(), threshold);
  }
  if (reserver_ != nullptr) // what is kept for it is of no use to those before it
    for (const auto& [of, threshold] : reserver_->waits_for_)
      if (of == &what && what.used <= threshold)
        first.emplace_back(reserver_, threshold);
  for (const auto& [who, threshold] : first) {
    if (!who->is_parked())
      continue;
    wake(*who);
    who->woken_by_.emplace(&what, threshold);
    ++what.references;
  }
}

/// If it has left room for those behind it, the next one is looked at.
void capacity_ledger::no_longer_woken(capacity_waiter& who, room of_that) {
  const auto by = std::exchange(who.woken_by_, std::nullopt);
  if (!by)
    return;
  if (of_that == room::left)
    wake_first(*by->first);
  release(*by->first);
}

/// It is no more.
void capacity_ledger::forget(capacity_waiter& who) {
  if (who.is_parked())
    unpark(who);
  std::erase(woken_, &who);
  if (who.hungry_since_)
    hungry_.erase({*who.hungry_since_, &who});
  if (&who == reserver_)
    end_reservation();
  no_longer_woken(who, room::left);
  remove_if_unused(who.shape());
}

// --- limits and time -----------------------------------------------------------------------------

std::vector<shortage> capacity_ledger::stocks() const {
  std::vector<shortage> all;
  for (const auto& [key, what] : stocks_)
    if (key.first == capacity_kind::pool || (key.first == capacity_kind::resource && what.most > 0))
      all.push_back({.need = {.kind = key.first, .name = key.second, .amount = what.most},
                     .limit = what.limit,
                     .used = what.used});
  return all;
}

void capacity_ledger::set_limit(capacity_kind kind, const std::string& name,
                                std::optional<std::int64_t> limit) {
  auto& what = find_or_add(kind, name);
  what.is_configured = limit.has_value();
  what.limit = limit.value_or(kind == capacity_kind::resource ? 0 : unlimited);
  what.most = std::max(what.most, what.limit);
  if (kind == capacity_kind::resource && model::has_indices(name)
      && std::int64_t(what.units.size()) < what.limit / whole)
    what.units.resize(std::size_t(what.limit / whole), whole);
  std::set<capacity_waiter*> all; // how much may be used for them to fit is another number now
  for (const auto& [threshold, waiting] : what.waiting)
    all.insert(waiting.begin(), waiting.end());
  for (auto* who : all)
    wake(*who);
  ++what.references;
  release(what);
}

void capacity_ledger::pass_time(model::wall_time now) {
  if (now < latest_)
    count_from(now);
  latest_ = now;
  while (!returning_.empty() && returning_.begin()->due <= now) {
    auto& of = *returning_.begin()->of;
    returning_.erase(returning_.begin());
    --of.used;
    ++of.references;
    wake_first(of);
    release(of);
  }
  reserve(now);
}

/// The clock was set back: what was started counts as if that had been now, at the latest, so that
/// nobody waits for longer, and no rate is passed.
void capacity_ledger::count_from(model::wall_time now) {
  for (auto one : std::exchange(returning_, {})) {
    one.due = std::min(one.due, now + one.per);
    returning_.insert(one);
  }
}

std::optional<model::wall_time> capacity_ledger::next_return() const {
  return waiting_for_rates_ == 0 || returning_.empty() ? std::nullopt
                                                       : std::optional{returning_.begin()->due};
}

/// The first alternative that only lacks what comes back when attempts end; null: there is none.
const std::vector<capacity_ledger::need>*
capacity_ledger::alternative_to_reserve(const capacity_waiter& who) const {
  const auto found = shapes_.find(who.shape());
  if (found == shapes_.end())
    return nullptr;
  for (const auto& needs : found->second.alternatives)
    if (std::all_of(needs.begin(), needs.end(), [](const need& wanted) {
          const auto limit = std::min(wanted.of->limit, wanted.limit);
          return wanted.amount <= limit - (can_be_reserved(*wanted.of) ? 0 : wanted.of->used);
        }))
      return &needs;
  return nullptr;
}

void capacity_ledger::reserve(model::wall_time now) {
  if (reserver_ != nullptr && alternative_to_reserve(*reserver_) == nullptr)
    end_reservation();
  if (reserver_ != nullptr)
    return;
  int looked_at = 0;
  for (const auto& [since, who] : hungry_) {
    if (now - since < options_.patience || ++looked_at > most_candidates)
      return;
    const auto* needs = alternative_to_reserve(*who);
    if (needs == nullptr)
      continue;
    keep(*who, *needs);
    if (who->is_parked())
      wake(*who); // it may fit already, behind another one that does not
    return;
  }
}

bool capacity_ledger::reserve_for(capacity_waiter& who, std::uint32_t alternative) {
  if (reserver_ != nullptr)
    return reserver_ == &who;
  who.among_ = this;
  keep(who, shapes_.at(who.shape()).alternatives.at(alternative));
  return true;
}

/// @pre nothing is kept for anybody
void capacity_ledger::keep(capacity_waiter& who, const std::vector<need>& needs) {
  reserver_ = &who;
  for (const auto& wanted : needs)
    if (can_be_reserved(*wanted.of)) {
      reservation_.emplace_back(wanted.of, wanted.amount);
      ++wanted.of->references;
    }
}

/// What was kept for it is there for all.
void capacity_ledger::end_reservation() {
  reserver_ = nullptr;
  for (const auto& [of, amount] : std::exchange(reservation_, {})) {
    wake_first(*of);
    release(*of);
  }
}

} // namespace sluice::logic
