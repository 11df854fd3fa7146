// Finding the program of a command on the task's PATH. Looks at the file system each time: a cache
// would miss a program that an earlier task installs, and a look costs a microsecond per directory.
#pragma once

#include <tl/expected.hpp>

#include <string>
#include <string_view>

namespace sluice::executors {

/// The path to execute for `program`: itself when it has a slash (relative to the workdir), else
/// the first executable file of that name in `search_path`, whose relative and empty parts are
/// relative to `workdir`. Errors: ENOENT when there is none, EACCES when there is one that may not
/// be executed.
tl::expected<std::string, int> find_program(std::string_view program, std::string_view search_path,
                                            std::string_view workdir);

/// What execvp searches when PATH is not set.
inline constexpr std::string_view default_search_path = "/bin:/usr/bin";

} // namespace sluice::executors
