// What verbs that are runtimes themselves are told about the node: slots and what there is beside
// them.
#pragma once

#include "runtime/orchestrator.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sluice::cli {

struct node_flags {
  std::string slots;                  ///< `4`, or `2-10`
  std::vector<std::string> resources; ///< `gpu=2`, checked
  std::string placement = "best_fit";
};

void add_node_flags(CLI::App& verb, node_flags& flags);

/// Options of a node that does what is asked.
runtime::orchestrator_options node_options(const node_flags& flags, std::string command,
                                           std::vector<model::run_no> resume = {});

} // namespace sluice::cli
