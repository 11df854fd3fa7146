#include "model/capacity.hpp"

#include "model/idempotency.hpp"
#include "model/workflow.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::model {
namespace {

constexpr std::int64_t thousandths = 1'000;
constexpr std::int64_t most_units = 1'000'000'000;
constexpr std::int64_t most_attempts_at_once = 100'000;
constexpr std::int64_t most_weight = 1'000;
constexpr std::array<std::string_view, 3> placements{"best_fit", "pack", "spread"};
constexpr std::array<std::string_view, 4> kinds{"resource", "pool", "key", "rate"};
constexpr std::array<std::string_view, 5> limit_kinds{"slots", "resource", "pool", "workflow_share",
                                                      "user_share"};

bool is_share(limit_kind kind) {
  return kind == limit_kind::workflow_share || kind == limit_kind::user_share;
}

template <class Enum, class Names>
std::optional<Enum> find_name(std::string_view name, const Names& names) {
  const auto it = std::find(names.begin(), names.end(), name);
  return it == names.end() ? std::nullopt : std::optional{Enum(it - names.begin())};
}

/// Digits, and up to three behind a point.
std::optional<std::int64_t> parse_thousandths(std::string_view text) {
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  auto part = point == std::string_view::npos ? std::string{} : std::string{text.substr(point + 1)};
  const auto digits = [](std::string_view t) {
    return !t.empty() && t.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!digits(whole) || whole.size() > 10 || part.size() > 3
      || (point != std::string_view::npos && !digits(part)))
    return std::nullopt;
  part.resize(3, '0');
  const auto amount = std::stoll(std::string{whole}) * thousandths + std::stoll(part);
  return amount <= most_units * thousandths ? std::optional{std::int64_t{amount}} : std::nullopt;
}

capacity_need need_from(const value& v) {
  capacity_need need;
  need.kind = find_name<capacity_kind>(v.at(0).get<std::string>(), kinds).value();
  need.name = v.at(1).get<std::string>();
  need.amount = v.at(2).get<std::int64_t>();
  if (v.size() > 3)
    need.limit = v.at(3).get<std::int64_t>();
  if (v.size() > 4)
    need.per = milliseconds{v.at(4).get<std::int64_t>()};
  return need;
}

} // namespace

std::int64_t unit_of(std::string_view resource) {
  return resource == "mem" || resource == "disk" ? 1 : thousandths;
}

std::string amount_text(std::string_view resource, std::int64_t amount) {
  if (unit_of(resource) == 1) {
    constexpr std::array<std::string_view, 4> units{"", "Ki", "Mi", "Gi"};
    std::size_t unit = 0;
    for (; unit + 1 < units.size() && amount != 0 && amount % 1024 == 0; ++unit)
      amount /= 1024;
    return std::to_string(amount) + std::string{units[unit]};
  }
  auto text = std::to_string(amount / thousandths);
  if (const auto part = amount % thousandths; part != 0) {
    auto behind = std::to_string(thousandths + part).substr(1);
    behind.erase(behind.find_last_not_of('0') + 1);
    text += "." + behind;
  }
  return text;
}

expected<std::int64_t> parse_amount(std::string_view resource, std::string_view text) {
  if (unit_of(resource) == 1)
    return parse_bytes(text);
  if (const auto amount = parse_thousandths(text))
    return *amount;
  return fail(errc::invalid_argument,
              "'" + std::string{text} + "' is no amount of " + std::string{resource}
                + "; write it as 2 or 0.5, with at most three digits behind the point");
}

std::string to_text(const resource_amounts& amounts) {
  std::string text;
  for (const auto& [name, amount] : amounts)
    text += (text.empty() ? "" : ", ") + name + " " + amount_text(name, amount);
  return text;
}

bool is_capacity_name(std::string_view text) {
  constexpr std::size_t most_characters = 64;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && text.size() <= most_characters && is_letter(text.front())
         && std::all_of(text.begin(), text.end(), [&](char c) {
              return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
            });
}

std::string_view to_string(placement p) {
  return placements.at(std::size_t(p));
}

std::optional<placement> parse_placement(std::string_view name) {
  return find_name<placement>(name, placements);
}

std::string_view to_string(capacity_kind k) {
  return kinds.at(std::size_t(k));
}

std::string_view to_string(limit_kind k) {
  return limit_kinds.at(std::size_t(k));
}

std::span<const std::string_view> limit_kind_names() {
  return limit_kinds;
}

std::optional<limit_kind> parse_limit_kind(std::string_view name) {
  return find_name<limit_kind>(name, limit_kinds);
}

/// `pool`: whose name it is
std::string_view owner_of(limit_kind kind) {
  switch (kind) {
  case limit_kind::workflow_share:
    return "workflow";
  case limit_kind::user_share:
    return "user";
  default:
    return to_string(kind);
  }
}

expected<store_limit> parse_store_limit(limit_kind kind, std::string name,
                                        std::string_view amount) {
  store_limit what{.kind = kind, .name = std::move(name), .amount = {}, .by = {}, .changed_at = {}};
  const bool is_named = is_share(kind) ? bool(check_key(what.name)) : is_capacity_name(what.name);
  if (kind != limit_kind::slots && (what.name.empty() || !is_named))
    return fail(errc::invalid_argument,
                "'" + what.name + "' cannot be the name of a " + std::string{owner_of(kind)});
  if (kind == limit_kind::resource)
    return parse_amount(what.name, amount).map([&](std::int64_t parsed) {
      what.amount = parsed;
      return what;
    });
  const std::int64_t least = is_share(kind) ? 1 : 0;
  const std::int64_t most = is_share(kind) ? most_weight : most_attempts_at_once;
  std::int64_t parsed = 0;
  const auto* end = amount.data() + amount.size();
  const auto [at, failed] = std::from_chars(amount.data(), end, parsed);
  if (failed != std::errc{} || at != end || parsed < least || parsed > most)
    return fail(errc::invalid_argument, title_of(what) + ": '" + std::string{amount}
                                          + "' is no whole number from " + std::to_string(least)
                                          + " to " + std::to_string(most));
  what.amount = parsed;
  return what;
}

std::string title_of(const store_limit& what) {
  if (what.kind == limit_kind::slots)
    return "slots";
  return (is_share(what.kind) ? "the share of " : "") + std::string{owner_of(what.kind)} + " '"
         + what.name + "'";
}

std::string amount_text(const store_limit& what) {
  return what.kind == limit_kind::resource ? amount_text(what.name, *what.amount)
                                           : std::to_string(*what.amount);
}

value to_json(const store_limit& what) {
  value v{{"kind", to_string(what.kind)}};
  if (what.kind != limit_kind::slots)
    v["name"] = what.name;
  if (what.amount)
    v["amount"] = amount_text(what);
  if (what.changed_at != wall_time{}) {
    v["by"] = what.by;
    v["changed_at"] = to_rfc3339(what.changed_at);
  }
  return v;
}

std::optional<std::int64_t> capacity_grant::amount_of(std::string_view resource) const {
  for (const auto& need : taken)
    if (need.kind == capacity_kind::resource && need.name == resource)
      return need.amount;
  return std::nullopt;
}

std::string to_text(const capacity_need& need) {
  switch (need.kind) {
  case capacity_kind::resource:
    return need.name + " " + amount_text(need.name, need.amount);
  case capacity_kind::pool:
    return "pool " + need.name;
  case capacity_kind::key:
    return "key '" + need.name + "'";
  case capacity_kind::rate:
    return "rate '" + need.name + "'";
  }
  return {};
}

std::string to_text(const capacity_grant& grant) {
  std::string text;
  for (const auto& need : grant.taken) {
    text += (text.empty() ? "" : ", ") + to_text(need);
    if (need.kind == capacity_kind::resource && has_indices(need.name))
      for (std::size_t i = 0; i < grant.indices.size(); ++i)
        text += (i == 0 ? " (" : ",") + std::to_string(grant.indices[i])
                + (i + 1 == grant.indices.size() ? ")" : "");
  }
  return text;
}

value to_json(const capacity_grant& grant) {
  value v{{"alternative", grant.alternative}, {"taken", value::array()}};
  for (const auto& need : grant.taken) {
    value taken{to_string(need.kind), need.name, need.amount};
    if (need.kind == capacity_kind::key || need.kind == capacity_kind::rate)
      taken.push_back(need.limit);
    if (need.kind == capacity_kind::rate)
      taken.push_back(need.per.count());
    v["taken"].push_back(std::move(taken));
  }
  if (!grant.indices.empty())
    v["indices"] = grant.indices;
  return v;
}

expected<capacity_grant> grant_from_json(const value& v) {
  try {
    capacity_grant grant;
    grant.alternative = v.at("alternative").get<std::uint32_t>();
    for (const auto& taken : v.at("taken"))
      grant.taken.push_back(need_from(taken));
    if (const auto indices = v.find("indices"); indices != v.end())
      grant.indices = indices->get<std::vector<std::uint32_t>>();
    return grant;
  } catch (const std::exception& problem) { // of the JSON library, or of a kind that there is not
    return fail(errc::corrupt, std::string{"cannot read what an attempt holds: "} + problem.what());
  }
}

} // namespace sluice::model
