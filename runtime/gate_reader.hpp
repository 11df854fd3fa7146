// The keys of a task that is a gate. Reports what is wrong, and goes on.
#pragma once

#include "runtime/node_reader.hpp"

namespace sluice::runtime {

/// Whether the key says something of a gate, beside what kind it is.
bool is_gate_key(file_key key);

/// Of one task: its keys one by one, and what they come to.
class gate_reader {
public:
  explicit gate_reader(node_reader& nodes) : nodes_(nodes) {}
  /// @pre `is_gate_key(key)`
  void read(file_key key, const placed_node& at);
  /// Of this kind.
  model::gate_spec take(model::gate_kind which);
  /// What stands at `on_closed`, which goes with `gates` too.
  std::optional<model::on_closed> on_closed() const { return gate_.on_closed; }
  /// Whether another key has been read.
  bool is_of_gate() const { return is_of_gate_; }

private:
  void read_days(const placed_node& at);
  void read_zone(const placed_node& at);

  node_reader& nodes_;
  model::gate_spec gate_;
  std::optional<model::opening_hours> hours_; ///< without days and zone
  std::uint8_t days_ = 0;
  bool is_local_ = false;
  bool is_of_gate_ = false;
};

/// What stands at `gate`; one that is missing or wrong is reported.
std::optional<model::gate_kind> read_gate_kind(node_reader& nodes, const placed_node& at);

} // namespace sluice::runtime
