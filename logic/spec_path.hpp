// Places in a specification as text: keys and indices, `tasks.load.after[1]`; a name that is no
// identifier stands in brackets, `tasks['a b'].run`. Plain functions, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::logic {

/// The path of `key` within `parent`; an empty parent is the whole specification.
std::string path_of(std::string_view parent, std::string_view key);
std::string path_of(std::string_view parent, std::size_t index);

/// One element of a path: a key, or an index.
struct path_step {
  std::string key;
  std::optional<std::size_t> index;
};

/// Takes a path apart. What is malformed counts as part of a key.
std::vector<path_step> split_path(std::string_view path);

} // namespace sluice::logic
