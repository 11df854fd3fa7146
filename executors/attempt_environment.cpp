#include "executors/attempt_environment.hpp"

#include <algorithm>
#include <cstring>

namespace sluice::executors {
namespace {

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

model::failure nul_in(std::string_view what, const std::string& name) {
  return {model::failure_class::permanent, "nul_in_input",
          std::string{what} + " '" + name + "' holds a NUL, which no environment can carry"};
}

std::optional<model::failure> add_inputs(environment_block& block, const model::value& inputs,
                                         const environment_facts& facts) {
  if (!inputs.is_object())
    return std::nullopt;
  std::vector<std::pair<std::string_view, std::string>> texts;
  texts.reserve(inputs.size());
  std::size_t total = 0;
  for (const auto& [name, value] : inputs.items()) {
    block.unset(name);
    if (value.is_null())
      continue;
    auto text = model::to_plain_text(value);
    if (has_nul(text))
      return nul_in("the input", name);
    if (text.size() > facts.input_limit_bytes)
      continue;
    total += name.size() + text.size() + 2; // `=` and NUL
    texts.emplace_back(name, std::move(text));
  }
  if (total <= facts.inputs_limit_bytes)
    for (const auto& [name, text] : texts)
      block.set(name, text);
  return std::nullopt;
}

/// What the attempt may use. Programs that know nothing of us see only their graphics processors.
void add_holdings(environment_block& block, const model::capacity_grant& holds) {
  for (const auto& need : holds.taken)
    if (need.kind == model::capacity_kind::resource) {
      auto name = "SLUICE_RESOURCE_" + need.name;
      std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
      block.set(name, model::unit_of(need.name) == 1 ? std::to_string(need.amount)
                                                     : model::amount_text(need.name, need.amount));
    }
  if (holds.indices.empty())
    return;
  std::string list;
  for (const auto index : holds.indices)
    list += (list.empty() ? "" : ",") + std::to_string(index);
  block.set("SLUICE_GPUS", list);
  block.set("CUDA_VISIBLE_DEVICES", list);
}

} // namespace

void environment_block::clear() {
  text_.clear();
  entries_.clear();
  pointers_.clear();
}

void environment_block::wipe() {
  ::explicit_bzero(text_.data(), text_.size());
  clear();
}

void environment_block::append(std::string_view name, std::string_view value, bool is_set) {
  entries_.push_back({text_.size(), name.size(), is_set});
  text_.append(name).append(1, '=').append(value).append(1, '\0');
}

void environment_block::set(std::string_view name, std::string_view value) {
  append(name, value, true);
}

void environment_block::unset(std::string_view name) {
  append(name, {}, false);
}

std::string_view environment_block::name_of(const entry& e) const {
  return {text_.data() + e.offset, e.name_size};
}

void environment_block::finish() {
  std::sort(entries_.begin(), entries_.end(), [this](const entry& a, const entry& b) {
    const auto order = name_of(a).compare(name_of(b));
    return order != 0 ? order < 0 : a.offset > b.offset; // the last one first: unique keeps it
  });
  entries_.erase(
    std::unique(entries_.begin(), entries_.end(),
                [this](const entry& a, const entry& b) { return name_of(a) == name_of(b); }),
    entries_.end());
  std::erase_if(entries_, [](const entry& e) { return !e.is_set; });
  pointers_.clear();
  for (const auto& e : entries_)
    pointers_.push_back(text_.data() + e.offset);
  pointers_.push_back(nullptr);
}

std::optional<std::string_view> environment_block::find(std::string_view name) const {
  const auto at = std::lower_bound(
    entries_.begin(), entries_.end(), name,
    [this](const entry& e, std::string_view wanted) { return name_of(e) < wanted; });
  if (at == entries_.end() || name_of(*at) != name)
    return std::nullopt;
  return std::string_view{text_.data() + at->offset + at->name_size + 1};
}

std::optional<model::failure> fill_environment(environment_block& block,
                                               const model::start_attempt& order,
                                               const environment_facts& facts) {
  block.clear();
  for (const auto& [name, value] : facts.base)
    block.set(name, value);
  for (const auto& [name, value] : order.env) {
    if (has_nul(value))
      return nul_in("the value of env", name);
    block.set(name, value);
  }
  if (auto failure = add_inputs(block, order.inputs, facts))
    return failure;
  for (const auto& [name, value] : facts.secrets)
    block.set(name, value);
  block.set("SLUICE_RUN", model::to_string(order.key.run_no));
  block.set("SLUICE_TASK", order.name());
  if (order.instance.is_set()) {
    block.set("SLUICE_INDEX", std::to_string(order.instance->index));
    block.set("SLUICE_COUNT", std::to_string(order.instance->count));
  }
  block.set("SLUICE_WORKFLOW", order.workflow->name);
  block.set("SLUICE_ATTEMPT", std::to_string(order.key.attempt));
  block.set("SLUICE_INSTANCE", facts.instance_token);
  if (order.holds.is_set())
    add_holdings(block, *order.holds);
  if (!facts.in_path.empty())
    block.set("SLUICE_IN", facts.in_path);
  if (!facts.out_path.empty())
    block.set("SLUICE_OUT", facts.out_path);
  if (!facts.result_path.empty())
    block.set("SLUICE_RESULT", facts.result_path);
  if (!facts.socket.empty()) {
    block.set("SLUICE_SOCKET", facts.socket);
    block.set("SLUICE_TOKEN", facts.token);
  }
  if (order.kept->checkpoint != nullptr) {
    block.set("SLUICE_CHECKPOINT_TOKEN", order.kept->checkpoint->token);
    block.set("SLUICE_CHECKPOINT", facts.checkpoint_path);
  }
  if (!facts.snapshot_path.empty())
    block.set("SLUICE_SNAPSHOT", facts.snapshot_path);
  return std::nullopt;
}

} // namespace sluice::executors
