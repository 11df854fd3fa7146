// Runs the real program in a directory of its own, as a shell would.
#pragma once

#include <catch2/catch.hpp>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::cli_test {

inline constexpr int deadline_ms = 120'000; // sanitizers and a busy machine included

/// A program that runs; its output is read as it comes.
class running_program {
public:
  enum class stdout_to { pipe, pipe_with_errors, terminal };

  running_program(const std::filesystem::path& directory, std::vector<std::string> arguments,
                  stdout_to target = stdout_to::pipe) {
    std::array<int, 2> out{};
    if (target != stdout_to::terminal) {
      REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
    } else {
      out[0] = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
      REQUIRE(::grantpt(out[0]) == 0);
      REQUIRE(::unlockpt(out[0]) == 0);
      out[1] = ::open(::ptsname(out[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    error_file_ = directory / ("stderr-" + std::to_string(out[0]));
    const int err = ::open(error_file_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    std::string program = SLUICE_BINARY_DIR "/sluice";
    std::vector<char*> argv{program.data()};
    for (auto& argument : arguments)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      const int in = ::open("/dev/null", O_RDONLY);
      if (::chdir(directory.c_str()) == 0 && ::dup2(in, 0) == 0 && ::dup2(out[1], 1) == 1
          && ::dup2(target == stdout_to::pipe_with_errors ? 1 : err, 2) == 2)
        ::execv(argv[0], argv.data());
      ::_exit(99);
    }
    ::close(err);
    ::close(out[1]);
    out_ = out[0];
  }
  running_program(const running_program&) = delete;
  running_program& operator=(const running_program&) = delete;
  ~running_program() {
    if (!has_ended_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    close_output();
  }

  /// The next line without its newline; empty at the end of the output.
  std::string read_line() {
    std::size_t newline;
    while ((newline = buffer_.find('\n')) == std::string::npos)
      if (!read_some())
        return std::exchange(buffer_, {});
    auto line = buffer_.substr(0, newline);
    buffer_.erase(0, newline + 1);
    return line;
  }
  /// Reads lines up to one that contains `part`, and returns it.
  std::string read_until(const std::string& part) {
    for (auto line = read_line(); !line.empty() || out_ >= 0; line = read_line())
      if (line.find(part) != std::string::npos)
        return line;
    FAIL("no line with: " << part);
    return {};
  }
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(buffer_, {});
  }
  void close_output() {
    if (out_ >= 0)
      ::close(std::exchange(out_, -1));
  }
  void signal(int number) { REQUIRE(::kill(pid_, number) == 0); }
  /// Exit code, or 256 + signal. The output has to be read or closed before.
  int wait() {
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    has_ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
  }
  std::string errors() const {
    std::ifstream file{error_file_};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

private:
  bool read_some() {
    pollfd readable{out_, POLLIN, 0};
    if (out_ < 0)
      return false;
    if (::poll(&readable, 1, deadline_ms) != 1)
      FAIL("the program printed nothing for too long");
    std::array<char, 8192> part;
    const auto got = ::read(out_, part.data(), part.size());
    if (got <= 0) {
      close_output();
      return false;
    }
    buffer_.append(part.data(), static_cast<std::size_t>(got));
    return true;
  }

  pid_t pid_ = -1;
  int out_ = -1;
  bool has_ended_ = false;
  std::string buffer_;
  std::filesystem::path error_file_;
};

struct result {
  int code = 0;
  std::string out;
  std::string err;
};

/// An empty directory that goes with the test.
class workspace {
public:
  workspace() {
    auto name = (std::filesystem::temp_directory_path() / "sluice-cli-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
  }
  ~workspace() { std::filesystem::remove_all(directory_); }

  const std::filesystem::path& directory() const { return directory_; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream{directory_ / name} << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file{directory_ / name};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  std::filesystem::path fifo(const std::string& name) const {
    auto path = directory_ / name;
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    return path;
  }
  result run(std::vector<std::string> arguments) const {
    running_program program{directory_, std::move(arguments)};
    auto out = program.read_all();
    const int code = program.wait();
    return {code, std::move(out), program.errors()};
  }

private:
  std::filesystem::path directory_;
};

} // namespace sluice::cli_test
