// Secrets as a workflow names them: a variable of a task's environment, and where its value is to
// be had. Only references are in files, in the store and in messages; a value is known to the
// process thread alone, while an attempt runs.
#pragma once

#include "model/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::model {

enum class secret_source : std::uint8_t {
  environment, ///< a variable of the runtime's environment
  file,        ///< a file; relative ones lie beside the workflow's
};

struct secret_reference {
  secret_source source = secret_source::environment;
  std::string place; ///< name of the variable, or path
  friend bool operator==(const secret_reference&, const secret_reference&) = default;
};

/// Reads `env:VARIABLE` or `file:PATH`. Errors: `invalid_argument`.
expected<secret_reference> parse_secret_reference(std::string_view text);

/// The reference to a file of this path.
std::string file_reference(const std::string& path);

/// Names of variables and references, in order of the file.
using secret_references = std::vector<std::pair<std::string, std::string>>;

/// All values of an attempt together may be so long. Who has more hands over the name of a file.
inline constexpr std::size_t most_secret_bytes = std::size_t{64} << 10;
/// What is shorter stands in any text by chance, and is not masked.
inline constexpr std::size_t least_masked_bytes = 4;

struct workflow_spec;
struct task_spec;

/// Those that the processes of a task see: its own, and the workflow's defaults that have other
/// names.
secret_references secrets_of(const workflow_spec& workflow, const task_spec& task);

} // namespace sluice::model
