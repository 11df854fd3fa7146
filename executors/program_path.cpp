#include "executors/program_path.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::executors {

tl::expected<std::string, int> find_program(std::string_view program, std::string_view search_path,
                                            std::string_view workdir) {
  if (program.find('/') != std::string_view::npos)
    return std::string{program};
  int result = ENOENT;
  if (program.empty())
    return tl::unexpected(result);
  std::string candidate;
  for (std::size_t begin = 0; begin <= search_path.size();) {
    const auto end = std::min(search_path.find(':', begin), search_path.size());
    const auto dir = search_path.substr(begin, end - begin);
    begin = end + 1;

    candidate.clear();
    if (!dir.starts_with('/'))
      candidate.append(workdir.empty() ? "." : workdir).append("/");
    candidate.append(dir);
    if (!candidate.ends_with('/'))
      candidate.push_back('/');
    candidate.append(program);

    struct stat info {};
    if (::stat(candidate.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
      continue;
    if (::faccessat(AT_FDCWD, candidate.c_str(), X_OK, AT_EACCESS) == 0)
      return candidate;
    result = EACCES;
  }
  return tl::unexpected(result);
}

} // namespace sluice::executors
