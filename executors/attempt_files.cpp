#include "executors/attempt_files.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::executors {
namespace {

constexpr mode_t private_dir = 0700;
constexpr mode_t private_file = 0600;
constexpr std::uint32_t tasks_per_log_dir = 1000;
// How many directories are remembered. Forgetting them all now and then costs one mkdir each.
constexpr std::size_t remembered_log_dirs = 1024;
constexpr std::size_t idle_run_dirs = 64;

int make_dir(const std::string& path) {
  return ::mkdir(path.c_str(), private_dir) == 0 || errno == EEXIST ? 0 : errno;
}

std::string run_part(const std::string& dir, model::run_no run) {
  return dir + "/r-" + std::to_string(run.value);
}

std::string attempt_part(model::attempt_key key) {
  return "/" + std::to_string(key.task_idx) + "." + std::to_string(key.attempt);
}

std::string log_dir_part(const std::string& logs_dir, model::attempt_key key) {
  return run_part(logs_dir, key.run_no) + "/" + std::to_string(key.task_idx / tasks_per_log_dir);
}

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int write_file(const std::string& path, int flags, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, private_file);
  if (fd < 0)
    return errno;
  const int err = write_all(fd, text);
  ::close(fd);
  return err;
}

} // namespace

std::filesystem::path log_path(const std::filesystem::path& logs_dir, model::attempt_key key) {
  return log_dir_part(logs_dir.string(), key) + attempt_part(key) + ".log";
}

attempt_files::attempt_files(std::string logs_dir, std::string work_dir)
  : logs_dir_{std::move(logs_dir)}, work_dir_{std::move(work_dir)} {}

std::string attempt_files::log_of(model::attempt_key key) const {
  return log_dir_part(logs_dir_, key) + attempt_part(key) + ".log";
}

std::string attempt_files::work_dir_of(model::attempt_key key) const {
  return run_part(work_dir_, key.run_no) + attempt_part(key);
}

int attempt_files::make_log_dir(model::attempt_key key) {
  const model::attempt_key dir{key.run_no, key.task_idx / tasks_per_log_dir, 0};
  if (log_dirs_.contains(dir))
    return 0;
  const auto path = log_dir_part(logs_dir_, key);
  int err = make_dir(path);
  if (err == ENOENT && (err = make_dir(logs_dir_)) == 0
      && (err = make_dir(run_part(logs_dir_, key.run_no))) == 0)
    err = make_dir(path);
  if (err != 0)
    return err;
  if (log_dirs_.size() >= remembered_log_dirs)
    log_dirs_.clear();
  log_dirs_.insert(dir);
  return 0;
}

void attempt_files::forget_log_dir(model::attempt_key key) {
  log_dirs_.erase({key.run_no, key.task_idx / tasks_per_log_dir, 0});
}

void attempt_files::append_to_log(model::attempt_key key, std::string_view line) {
  if (make_log_dir(key) == 0)
    write_file(log_of(key), O_APPEND, std::string{line} + "\n");
}

int attempt_files::make_work_dir(model::attempt_key key) {
  if (work_dirs_.contains(key))
    return 0;
  if (run_dirs_.size() >= idle_run_dirs)
    remove_idle_run_dirs();
  const auto path = work_dir_of(key);
  const auto make = [&path] { return ::mkdir(path.c_str(), private_dir) == 0 ? 0 : errno; };
  int err = make();
  if (err == ENOENT && (err = make_dir(work_dir_)) == 0
      && (err = make_dir(run_part(work_dir_, key.run_no))) == 0)
    err = make();
  if (err == EEXIST) { // of an earlier life of the store: an old `out` must not be read
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
    err = make();
  }
  if (err != 0)
    return err;
  work_dirs_.insert(key);
  ++run_dirs_[key.run_no];
  return 0;
}

int attempt_files::write_in(model::attempt_key key, std::string_view text) {
  return write_file(in_of(key), O_TRUNC, text);
}

int attempt_files::write_out(model::attempt_key key, std::string_view text) {
  return write_file(out_of(key), O_TRUNC, text);
}

int attempt_files::write_checkpoint(model::attempt_key key, std::string_view data) {
  return write_file(checkpoint_of(key), O_TRUNC, data);
}

int attempt_files::write_snapshot(model::attempt_key key, std::string_view data) {
  return write_file(snapshot_of(key), O_TRUNC, data);
}

int attempt_files::write_result(model::attempt_key key, std::string_view text) {
  return write_file(result_of(key), O_TRUNC, text);
}

void attempt_files::remove_work_dir(model::attempt_key key) {
  if (work_dirs_.erase(key) == 0)
    return;
  const auto path = work_dir_of(key);
  ::unlink(in_of(key).c_str());
  ::unlink(out_of(key).c_str());
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) { // the task left files of its own
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  if (const auto run = run_dirs_.find(key.run_no); run != run_dirs_.end() && run->second > 0)
    --run->second; // the directory stays for the run's next attempt
}

void attempt_files::remove_work_dirs_if(const std::function<bool(model::attempt_key)>& is_over) {
  std::vector<model::attempt_key> over;
  std::copy_if(work_dirs_.begin(), work_dirs_.end(), std::back_inserter(over), is_over);
  for (const auto key : over)
    remove_work_dir(key);
}

void attempt_files::remove_idle_run_dirs() {
  std::erase_if(run_dirs_, [this](const auto& run) {
    if (run.second > 0)
      return false;
    ::rmdir(run_part(work_dir_, run.first).c_str());
    return true;
  });
}

} // namespace sluice::executors
