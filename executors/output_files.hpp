// Reads what a task wrote to $SLUICE_OUT, within limits, and checks it against the outputs that the
// task declares. Called on the process thread after the process group is gone.
#pragma once

#include "model/run.hpp"
#include "model/workflow.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::executors {

struct output_request {
  std::string path;  ///< of the file `$SLUICE_OUT`
  model::value told; ///< what counts instead of the file where both have a name: object, or null
  std::span<const model::output_spec> declared;
  std::string_view workdir; ///< what `file` outputs are relative to
  std::size_t limit_bytes = std::size_t{1} << 20;
};

struct collected_outputs {
  model::value outputs;                  ///< object of the declared names; null beside a failure
  std::vector<std::string> warnings;     ///< names that are not declared
  std::optional<model::failure> failure; ///< class validation, or permanent when it is too large
};

/// The file holds one JSON object, or lines `name=value` of which the last one of a name counts.
/// Never blocks on what is no regular file, and never reads more than the limit and a byte.
/// The limit is that of the file and of what was told together.
collected_outputs collect_outputs(const output_request& request);

/// The same checks for an object that a native handler returned; null counts as empty.
/// `request.path` and
/// `request.told` are not used.
collected_outputs check_outputs(const model::value& outputs, const output_request& request);

} // namespace sluice::executors
