// A specification with everything worked out that does not change between runs: the graph with the
// edges that mentions imply, and all expressions parsed. Made once per submission, immutable,
// shared. `compile` is also the validation of a specification: files, programs and REST use it.
#pragma once

#include "logic/dag.hpp"
#include "logic/expression.hpp"
#include "logic/value_template.hpp"
#include "model/workflow.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace sluice::logic {

/// One thing wrong with a specification. `path` names the place as keys and indices,
/// `tasks.load.after[1]`; a task name that is no identifier stands in brackets: `tasks['a b'].run`.
struct spec_problem {
  std::string path;
  std::string message;
  std::size_t offset = 0; ///< within the string at `path`, for expressions
  bool at_name = false;   ///< the last key of `path` itself is wrong, not what it holds
};

/// What a task is fanned out over, as far as it is to be evaluated.
struct fan_out_expressions {
  value_template over;                                      ///< of `foreach`
  std::vector<std::pair<std::string, value_template>> axes; ///< of `matrix`
  value_template include, exclude;                          ///< of `matrix`
  std::optional<value_template> key;                        ///< of each instance
};

/// What a task needs beside a slot, as far as it is to be evaluated.
struct capacity_expressions {
  std::optional<value_template> concurrency_key, rate_key;
};

/// The expressions of one task; most tasks of large graphs have none.
struct task_expressions {
  std::optional<expression> join; ///< when the rule is `expression`
  std::optional<expression> when;
  std::vector<std::pair<std::string, value_template>> in;
  std::vector<std::pair<std::string, value_template>> env; ///< its own, without the workflow's
  std::optional<value_template> key;                       ///< of `idempotency`
  std::optional<value_template> awaits;                    ///< of `wait`, or the prompt of a gate
  std::unique_ptr<const fan_out_expressions> fan_out;      ///< null: it is not fanned out
  std::unique_ptr<const capacity_expressions> capacity;    ///< null: it needs a slot only
  bool when_names_item = false;                            ///< so it is asked of each instance
  // In finally also of tasks outside it, which are no upstreams.
  std::vector<std::uint32_t> state_reads;  ///< upstreams whose `state` join or `when` names; sorted
  std::vector<std::uint32_t> output_reads; ///< upstreams whose `out` anything here names; sorted
};

class compiled_workflow {
public:
  const model::workflow_spec& spec() const { return *spec_; }
  const std::shared_ptr<const model::workflow_spec>& shared_spec() const { return spec_; }
  const dag& graph() const { return graph_; }
  /// How many tasks are behind it on its longest way to an end.
  std::uint32_t rank(std::uint32_t task) const { return ranks_[task]; }
  /// Null when the task has no condition, input or environment of its own, constant ones included.
  const task_expressions* expressions(std::uint32_t task) const { return expressions_[task].get(); }
  /// The workflow's own environment; names only `params` and `run`.
  const std::vector<std::pair<std::string, value_template>>& env() const { return env_; }
  /// Index of a task that some expression mentions.
  std::optional<std::uint32_t> mentioned_task(std::string_view name) const;
  /// Whether some expression reads this task's outputs.
  bool outputs_are_read(std::uint32_t task) const { return outputs_read_[task]; }
  /// Whether what this task does can be compensated once it has succeeded. Never of finally: that
  /// comes after all compensation.
  bool is_compensable(std::uint32_t task) const {
    return !compensable_.empty() && compensable_[task];
  }
  /// The workflow that each attempt of a task is a run of; null when its action is another one.
  std::shared_ptr<const compiled_workflow> child(std::uint32_t task) const;
  /// What a run comes to once it has succeeded; most come to nothing.
  const std::vector<std::pair<std::string, value_template>>& results() const { return results_; }
  /// The tasks whose outputs that names, ascending.
  const std::vector<std::uint32_t>& result_reads() const { return result_reads_; }
  /// Index in `groups` of the group that a task belongs to; nothing when none is declared for it.
  std::optional<std::uint32_t> group(std::uint32_t task) const {
    return groups_.empty() || groups_[task] == no_group ? std::nullopt
                                                        : std::optional{groups_[task]};
  }
  /// The tasks of a declared group, ascending.
  std::span<const std::uint32_t> members(std::uint32_t group) const { return members_[group]; }
  /// Tasks of finally that read the outputs of a task outside it: no edge leads to them.
  std::span<const std::uint32_t> readers_in_finally(std::uint32_t task) const;
  /// Whether `dependent` handles a failure of `upstream` when it succeeds: its join is `one_failed`
  /// or `all_failed`, or its join or `when` names the upstream's state.
  /// @pre there is an edge between them
  bool handles_failure(std::uint32_t dependent, std::uint32_t upstream) const;

private:
  friend class workflow_compiler; // in compiled_workflow.cpp
  std::shared_ptr<const model::workflow_spec> spec_;
  dag graph_;
  std::vector<std::uint32_t> ranks_;
  std::vector<std::unique_ptr<task_expressions>> expressions_;
  std::vector<std::pair<std::string, value_template>> env_;
  std::unordered_map<std::string, std::uint32_t> mentioned_;
  std::vector<bool> outputs_read_;
  std::vector<bool> compensable_; ///< empty: none is
  static constexpr std::uint32_t no_group = ~0u;
  std::vector<std::uint32_t> groups_; ///< of each task; empty: none is declared
  std::vector<std::vector<std::uint32_t>> members_;
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> readers_in_finally_;
  std::unordered_map<std::uint32_t, std::shared_ptr<const compiled_workflow>>
    children_; ///< by task
  std::vector<std::pair<std::string, value_template>> results_;
  std::vector<std::uint32_t> result_reads_;
};

/// Names of the native handlers that exist; empty function: not checked.
using handler_lookup = std::function<bool(std::string_view name)>;

/// Compiles, or returns every problem there is, in order of the specification. `read_in_part` are
/// tasks, ascending, of which a reader could not understand everything: what they declare is not
/// known, so mentions of their outputs are let pass.
tl::expected<std::shared_ptr<const compiled_workflow>, std::vector<spec_problem>>
compile(std::shared_ptr<const model::workflow_spec> spec, const handler_lookup& has_handler = {},
        std::span<const std::uint32_t> read_in_part = {});

} // namespace sluice::logic
