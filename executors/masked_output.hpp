// What the processes of an attempt with secrets print: it goes through a pipe, and into the log
// with the secrets masked. One for each of its commands. Owned by the attempt loop, used on the
// process thread.
#pragma once

#include "executors/mask_patterns.hpp"

#include <tl/expected.hpp>

#include <memory>
#include <string>

namespace sluice::executors {

class masked_output {
public:
  /// Opens the log to append to it. Error: an errno value, of the log or of the pipe.
  static tl::expected<std::unique_ptr<masked_output>, int>
  open(const std::string& log_path, std::shared_ptr<const mask_patterns> patterns);
  masked_output(const masked_output&) = delete;
  masked_output& operator=(const masked_output&) = delete;
  ~masked_output();

  /// The end to print to; close-on-exec.
  int write_end() const { return write_end_; }
  /// A process has it: ours would keep the pipe open.
  void close_write_end();
  /// The end to wait for; -1 when nothing more can come.
  int read_end() const { return read_end_; }

  /// Takes what is there, a piece at most, so that others have their turn. When nobody can print
  /// any more it closes the read end.
  void read_some();
  /// The processes are gone: takes what is left of them, and ends. Who has escaped them and prints
  /// on gets no reader.
  void finish();

private:
  masked_output(int log, int read_end, int write_end, std::shared_ptr<const mask_patterns> patterns)
    : log_{log}, read_end_{read_end}, write_end_{write_end}, masker_{std::move(patterns)} {}
  bool read_piece();
  void write_out();
  static void close(int& fd);

  int log_;
  int read_end_;
  int write_end_;
  masker masker_;
  std::string out_; ///< masked, to be written; kept for its memory
};

} // namespace sluice::executors
