// The `${{ }}` language: a subset of CEL (https://github.com/google/cel-spec) with its semantics.
// Parsed once to a tree, from which references are read; evaluated without side effects, within a
// budget. Immutable after parsing, so shared freely between threads.
#pragma once

#include "model/error.hpp"
#include "model/json.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::logic {

/// Why a text is no expression, and where: byte offset into the parsed text.
struct syntax_error {
  std::size_t offset = 0;
  std::string message;
};

/// A name an expression mentions.
struct reference {
  enum class root : std::uint8_t { params, task_output, task_state, task_states, run, item };
  root what = root::params;
  std::string name;  ///< parameter, task, or field of `run`; empty: the whole of `params` or `run`
  std::string field; ///< of `task_output`: the output; empty: all outputs
  std::size_t offset = 0;
  std::string instance; ///< of `task_output` and `task_state`: the instance; empty: the task itself
  friend bool operator==(const reference&, const reference&) = default;
};

/// What the names mean during one evaluation. Borrowed for the call. Null pointers mean absent.
class scope {
public:
  virtual ~scope() = default;
  virtual const model::value& params() const = 0;
  virtual const model::value& run() const = 0;
  /// The outputs of a task as an object; of one that is fanned out a list of them, of its instances
  /// that succeeded. Null pointer when it has none (failed, skipped, undecided).
  virtual const model::value* task_outputs(std::string_view task) const = 0;
  virtual std::string_view task_state(std::string_view task) const = 0;
  /// Of one instance of a task that is fanned out; null pointer, or empty, when there is none.
  virtual const model::value* instance_outputs(std::string_view task,
                                               std::string_view instance) const;
  virtual std::string_view instance_state(std::string_view task, std::string_view instance) const;
  /// Of all its instances, in order of the items; nothing when it is not fanned out.
  virtual std::optional<model::value> task_states(std::string_view task) const;
  /// What the instance is for whose expression this is; null pointer: it is of none.
  virtual const model::value* item() const { return nullptr; }
};

/// What one evaluation may use up. A step is a visited node, an element looked at or copied, or 256
/// bytes of text; the bytes are those of all values that are made on the way, the result included.
struct evaluation_budget {
  std::uint64_t steps = 1'000'000;
  std::size_t result_bytes = 16u << 20;
};

struct expression_tree; // in expression_tree.hpp

class expression {
public:
  /// Parses the text between `${{` and `}}`. At most 64 KiB and 64 levels deep. `item_name` is
  /// another name of `item`; empty: none.
  static tl::expected<expression, syntax_error> parse(std::string_view text,
                                                      std::string_view item_name = {});

  /// Every mention of a parameter, a task or `run`, in order of the text.
  const std::vector<reference>& references() const { return references_; }

  /// Errors: `invalid_argument` with a sentence that names the part that failed.
  expected<model::value> evaluate(const scope& names, const evaluation_budget& budget = {}) const;

private:
  std::shared_ptr<const expression_tree> tree_;
  std::vector<reference> references_;
};

} // namespace sluice::logic
