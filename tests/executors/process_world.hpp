// A process thread with real processes in a directory of its own, and what it reported. Waiting is
// for the event, with a deadline that only a broken build reaches.
#pragma once

#include "executors/attempt_files.hpp"
#include "executors/process_thread.hpp"
#include "model/workflow.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::executors {

inline constexpr std::chrono::seconds deadline{60};

inline model::clock real_clock() {
  return {.wall =
            [] {
              return std::chrono::time_point_cast<model::microseconds>(
                std::chrono::system_clock::now());
            },
          .steady =
            [] { return model::steady_time{std::chrono::steady_clock::now().time_since_epoch()}; }};
}

class temp_dir {
public:
  temp_dir() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;
  ~temp_dir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void write_file(const std::filesystem::path& path, const std::string& text,
                       mode_t mode = 0644) {
  std::ofstream{path, std::ios::binary} << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

/// A named pipe that processes say something on; each line is one event.
class meeting_point {
public:
  explicit meeting_point(std::string path) : path_{std::move(path)} {
    REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
    // Read and write: no end of file when a writer closes.
    fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    REQUIRE(fd_ >= 0);
  }
  meeting_point(const meeting_point&) = delete;
  meeting_point& operator=(const meeting_point&) = delete;
  ~meeting_point() { ::close(fd_); }

  const std::string& path() const { return path_; }

  std::string next_line() {
    for (;;) {
      const auto end = pending_.find('\n');
      if (end != std::string::npos) {
        auto line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        return line;
      }
      pollfd wanted{fd_, POLLIN, 0};
      const auto ms = std::chrono::milliseconds{deadline}.count();
      if (::poll(&wanted, 1, static_cast<int>(ms)) <= 0)
        return "(nothing in time)";
      char text[256];
      const auto size = ::read(fd_, text, sizeof text);
      if (size > 0)
        pending_.append(text, static_cast<std::size_t>(size));
    }
  }

private:
  std::string path_;
  std::string pending_;
  int fd_ = -1;
};

/// Whether the process is there and not dead.
inline bool is_alive(const std::string& pid) {
  const auto stat = read_file("/proc/" + pid + "/stat");
  const auto name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.at(name_end + 2) != 'Z'
         && stat.at(name_end + 2) != 'X';
}

/// A workflow of one task, to be changed by a test.
struct one_task {
  model::workflow_spec workflow;
  model::value inputs;
  std::vector<std::pair<std::string, std::string>> env;
  model::checkpoint_ptr checkpoint = {};
  model::command_role role = model::command_role::action;
  bool takes_snapshot = false;
  model::snapshot_ptr snapshot = {};
  model::value result; ///< of what it undoes
  bool has_result = false;
  model::capacity_grant holds = {};

  model::task_spec& task() { return workflow.tasks.front(); }
};

inline one_task task_of(model::action action) {
  one_task t;
  t.workflow.name = "wf";
  t.workflow.tasks.emplace_back();
  t.task().name = "the-task";
  t.task().action = std::move(action);
  return t;
}
inline one_task shell_task(std::string text) {
  return task_of(model::run_action{std::move(text)});
}
inline one_task exec_task(std::vector<std::string> argv) {
  return task_of(model::exec_action{std::move(argv)});
}

class process_world {
public:
  process_world() : process_world{[](process_options&) {}} {}

  explicit process_world(const std::function<void(process_options&)>& change) {
    options_.logs_dir = dir_.path() / "logs";
    options_.work_dir = dir_.path() / "work";
    options_.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", "/nowhere"}};
    options_.instance_token = "0123456789abcdef";
    options_.clock = real_clock();
    change(options_);
    std::filesystem::create_directory(dir_.path() / "base");
    restart();
  }

  /// The task's directory.
  std::filesystem::path base() const { return dir_.path() / "base"; }
  const temp_dir& dir() const { return dir_; }
  process_options& options() { return options_; }
  process_thread& thread() { return *thread_; }

  /// Ends the thread, and with it what runs.
  void stop() { thread_.reset(); }
  void restart() {
    stop();
    auto made = process_thread::create(options_);
    REQUIRE(made.has_value());
    thread_ = std::move(*made);
  }

  model::attempt_key start(one_task what) {
    const model::attempt_key key{{12}, next_task_++, 1};
    return start_as(key, std::move(what));
  }

  model::attempt_key start_as(model::attempt_key key, one_task what) {
    if (what.workflow.base_dir.empty())
      what.workflow.base_dir = base().string();
    auto order = std::make_shared<model::start_attempt>();
    order->key = key;
    order->workflow = std::make_shared<model::workflow_spec>(std::move(what.workflow));
    order->inputs = std::move(what.inputs);
    order->env = std::move(what.env);
    order->kept->checkpoint = std::move(what.checkpoint);
    order->role = what.role;
    order->takes_snapshot = what.takes_snapshot;
    order->kept->snapshot = std::move(what.snapshot);
    order->kept->result = std::move(what.result);
    order->has_result = what.has_result;
    order->holds = std::move(what.holds);
    thread_->start(std::move(order), listener_);
    return key;
  }

  void wait_started(model::attempt_key key) {
    std::unique_lock lock{mutex_};
    REQUIRE(changed_.wait_for(lock, deadline, [&] { return started_.contains(key); }));
  }

  model::attempt_report wait_ended(model::attempt_key key) {
    std::unique_lock lock{mutex_};
    REQUIRE(changed_.wait_for(lock, deadline, [&] { return ended_.contains(key); }));
    return ended_.at(key);
  }

  bool has_ended(model::attempt_key key) {
    const std::lock_guard lock{mutex_};
    return ended_.contains(key);
  }
  void wait_validating(model::attempt_key key) {
    std::unique_lock lock{mutex_};
    REQUIRE(changed_.wait_for(lock, deadline, [&] { return validating_.contains(key); }));
  }
  /// What it has taken, while it waits to go on.
  std::string wait_snapshot(model::attempt_key key) {
    std::unique_lock lock{mutex_};
    REQUIRE(changed_.wait_for(lock, deadline, [&] { return snapshots_.contains(key); }));
    return *snapshots_.at(key);
  }
  bool has_started(model::attempt_key key) {
    const std::lock_guard lock{mutex_};
    return started_.contains(key);
  }

  std::vector<model::attempt_key> order_of_ends() {
    const std::lock_guard lock{mutex_};
    return order_of_ends_;
  }

  model::attempt_report run(one_task what) { return wait_ended(start(std::move(what))); }

  std::filesystem::path log_file(model::attempt_key key) const {
    return log_path(options_.logs_dir, key);
  }
  std::string log(model::attempt_key key) const { return read_file(log_file(key)); }

  /// Runs the task and returns what it printed; it has to succeed.
  std::string output_of(one_task what) {
    const auto report = run(std::move(what));
    INFO(log(report.key));
    if (report.failure)
      FAIL(report.failure->message);
    return log(report.key);
  }

private:
  temp_dir dir_;
  process_options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<model::attempt_key> started_;
  std::set<model::attempt_key> validating_;
  std::map<model::attempt_key, model::snapshot_ptr> snapshots_;
  std::map<model::attempt_key, model::attempt_report> ended_;
  std::vector<model::attempt_key> order_of_ends_;
  std::uint32_t next_task_ = 0;
  std::shared_ptr<const launch_listener> listener_ =
    std::make_shared<const launch_listener>([this](launch_news news) {
      const std::lock_guard lock{mutex_};
      started_.insert(news.started.begin(), news.started.end());
      validating_.insert(news.validating.begin(), news.validating.end());
      for (const auto& taken : news.snapshots)
        snapshots_.emplace(taken.key, taken.what);
      for (auto& report : news.ended) {
        const auto key = report.key;
        if (report.started_at)
          started_.insert(key);
        order_of_ends_.push_back(key);
        ended_.emplace(key, std::move(report));
      }
      changed_.notify_all();
    });
  std::unique_ptr<process_thread> thread_; // last: it calls back into the others
};

} // namespace sluice::executors
