#include "runtime/added_keys.hpp"

#include "runtime/workflow_keys.hpp"

namespace sluice::runtime {

void check_added_keys(const document_node& root, const std::string& workflow,
                      const std::string& named, std::vector<document_problem>& problems) {
  if (!root.is_map())
    return;
  for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const auto& key = root.items[i];
    const auto* known = find_key(key.text, key_level::workflow);
    if (known == nullptr || known->key == file_key::later)
      continue; // which was said
    switch (known->key) {
    case file_key::tasks:
    case file_key::defaults:
    case file_key::description:
      break;
    case file_key::workflow:
      if (named != workflow)
        problems.push_back(
          {root.items[i + 1].at, key.text,
           "the run is one of workflow '" + workflow + "', not of '" + named + "'"});
      break;
    default:
      problems.push_back(
        {key.at, key.text,
         find_key(key.text, key_level::defaults) != nullptr
           ? "stands under 'defaults' in a file of tasks that are added"
           : "is of the run, which has begun: only tasks and their defaults can be added"});
    }
  }
}

} // namespace sluice::runtime
