#include "runtime/gate_reader.hpp"

#include "logic/gate.hpp"
#include "model/nearest_name.hpp"
#include "runtime/param_reader.hpp"

#include <span>

namespace sluice::runtime {
namespace {

/// One of some names; any other one is reported with the nearest.
template <class Enum>
std::optional<Enum> read_name(node_reader& nodes, const placed_node& at,
                              std::optional<Enum> (*parse)(std::string_view),
                              std::span<const std::string_view> known, const char* what) {
  const auto name = nodes.text(at);
  if (!name)
    return std::nullopt;
  const auto found = parse(*name);
  if (found)
    return found;
  std::vector<std::string> names;
  std::string all;
  for (const auto one : known) {
    names.emplace_back(one);
    all += (all.empty() ? "" : ", ") + names.back();
  }
  const auto nearest = model::did_you_mean(*name, names);
  nodes.report(at, std::string{"unknown "} + what + " '" + *name + "'"
                     + (nearest.empty() ? "; there are " + all : nearest));
  return std::nullopt;
}

} // namespace

bool is_gate_key(file_key key) {
  switch (key) {
  case file_key::name:
  case file_key::on_closed:
  case file_key::prompt:
  case file_key::form:
  case file_key::expires:
  case file_key::on_expire:
  case file_key::between:
  case file_key::days:
  case file_key::zone:
  case file_key::quota_max:
  case file_key::per:
    return true;
  default:
    return false;
  }
}

void gate_reader::read(file_key key, const placed_node& at) {
  is_of_gate_ = is_of_gate_ || key != file_key::on_closed;
  switch (key) {
  case file_key::name:
    gate_.name = nodes_.text(at).value_or("");
    return;
  case file_key::on_closed:
    gate_.on_closed =
      read_name(nodes_, at, model::parse_on_closed, model::on_closed_names(), "value");
    return;
  case file_key::prompt:
    gate_.prompt = nodes_.text(at).value_or("");
    return;
  case file_key::form:
    gate_.form = read_params(nodes_, at, "names, each with a default or its type");
    return;
  case file_key::expires:
    gate_.expires = nodes_.duration(at);
    return;
  case file_key::between:
    if (const auto text = nodes_.text(at)) {
      if (auto hours = logic::parse_hours(*text))
        hours_ = *hours;
      else
        nodes_.report(at, hours.error().message);
      if (!hours_)
        hours_.emplace(); // that it has none has been said
    }
    return;
  case file_key::days:
    return read_days(at);
  case file_key::zone:
    return read_zone(at);
  case file_key::quota_max:
    if (!gate_.quota)
      gate_.quota.emplace();
    gate_.quota->max = nodes_.count(at, "a number of passes, at least 1").value_or(1);
    return;
  case file_key::per:
    if (!gate_.quota)
      gate_.quota.emplace();
    gate_.quota->per = nodes_.duration(at).value_or(model::milliseconds{1});
    return;
  default:
    if (const auto rule =
          read_name(nodes_, at, model::parse_on_expire, model::on_expire_names(), "value"))
      gate_.on_expire = *rule;
  }
}

void gate_reader::read_days(const placed_node& at) {
  const auto names = nodes_.texts(at, "days, such as [mon, fri]");
  if (!names)
    return;
  for (std::size_t i = 0; i < names->size(); ++i)
    if (const auto day = logic::parse_day((*names)[i]))
      days_ |= *day;
    else
      nodes_.report(at.item(i), "unknown day '" + (*names)[i]
                                  + "'; there are mon, tue, wed, thu, fri, sat, sun");
}

void gate_reader::read_zone(const placed_node& at) {
  const auto name = nodes_.text(at);
  if (!name)
    return;
  is_local_ = *name == "local";
  if (!is_local_ && *name != "utc")
    nodes_.report(at, "zone '" + *name + "' is not in this version; there are utc and local");
}

model::gate_spec gate_reader::take(model::gate_kind which) {
  gate_.which = which;
  if (hours_) {
    hours_->days = days_;
    hours_->is_local = is_local_;
  }
  gate_.hours = hours_;
  return std::move(gate_);
}

std::optional<model::gate_kind> read_gate_kind(node_reader& nodes, const placed_node& at) {
  return read_name(nodes, at, model::parse_gate_kind, model::gate_kind_names(), "kind of gate");
}

} // namespace sluice::runtime
