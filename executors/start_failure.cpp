#include "executors/start_failure.hpp"

#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::executors {
namespace {

using model::failure;
using model::failure_class;

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

failure permanent(const char* code, std::string message) {
  return {failure_class::permanent, code, std::move(message)};
}

/// Whether a file system that is full, read-only or failing is to blame: not the task's fault.
bool is_storage_trouble(int err) {
  return err == ENOSPC || err == EDQUOT || err == EROFS || err == EIO;
}

std::optional<failure> workdir_trouble(const std::string& workdir) {
  if (workdir.empty())
    return std::nullopt;
  struct stat info {};
  std::string cause;
  if (::stat(workdir.c_str(), &info) != 0)
    cause = errno == ENOENT ? "does not exist" : errno_text(errno);
  else if (!S_ISDIR(info.st_mode))
    cause = "is not a directory";
  else if (::faccessat(AT_FDCWD, workdir.c_str(), X_OK, AT_EACCESS) != 0)
    cause = errno_text(errno);
  else
    return std::nullopt;
  return permanent("workdir_missing", "the working directory " + quoted(workdir) + ": " + cause);
}

std::optional<failure> log_trouble(const std::string& log_path) {
  const int fd = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    return std::nullopt;
  }
  const int err = errno;
  auto f = permanent("log_unavailable",
                     "cannot write the log " + quoted(log_path) + ": " + errno_text(err));
  if (is_storage_trouble(err) || is_shortage(err))
    f.failure_class = failure_class::resource;
  return f;
}

failure program_trouble(const failed_start& start) {
  const auto what = "cannot start " + quoted(start.program) + ": ";
  const auto path = start.path.starts_with('/') || start.workdir.empty()
                      ? start.path
                      : start.workdir + "/" + start.path;
  struct stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  switch (start.err) {
  case ENOENT:
    if (start.path.empty())
      return permanent("program_not_found", what + "no such program on PATH");
    if (exists)
      return permanent("interpreter_not_found",
                       what + "the interpreter that it names does not exist");
    return permanent("program_not_found", what + "no such file");
  case ENOTDIR:
    return permanent("program_not_found", what + errno_text(start.err));
  case EACCES:
  case EPERM:
    if (exists && S_ISDIR(info.st_mode))
      return permanent("not_executable", what + "it is a directory");
    return permanent("not_executable", what + errno_text(start.err));
  case ENOEXEC:
    return permanent("not_executable", what + "neither a program nor a script with a #! line");
  case E2BIG:
    return permanent("arguments_too_large",
                     what
                       + "its arguments and environment are larger than the kernel allows; "
                         "large inputs are in the file $SLUICE_IN");
  case ETXTBSY:
    return {failure_class::transient, "program_busy", what + "the file is being written"};
  default:
    return permanent("start_failed", what + errno_text(start.err));
  }
}

} // namespace

bool is_shortage(int err) {
  return err == EAGAIN || err == ENOMEM || err == EMFILE || err == ENFILE;
}

model::failure explain(const failed_start& start) {
  if (is_shortage(start.err))
    return {failure_class::resource, std::string{host_full},
            "cannot start " + quoted(start.program) + ": the host has no process, memory or "
              + "descriptor to spare (" + errno_text(start.err) + ")"};
  if (auto f = workdir_trouble(start.workdir))
    return *f;
  if (auto f = log_trouble(start.log_path))
    return *f;
  return program_trouble(start);
}

model::failure cannot_make_files(const std::string& path, int err) {
  const bool may_pass = is_storage_trouble(err) || is_shortage(err);
  return {may_pass ? failure_class::resource : failure_class::permanent, "work_files",
          "cannot write the working files " + quoted(path) + ": " + errno_text(err)};
}

} // namespace sluice::executors
