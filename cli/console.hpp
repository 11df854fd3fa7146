// Writing to standard output and standard error: buffered, coloured when a person reads it, and
// undisturbed by a reader that has gone away. One thread, one object per descriptor.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::cli {

enum class tint { none, bold, dim, red, green, yellow, cyan };

class console {
public:
  enum class colour { off, on };

  console(int fd, colour colours) : fd_(fd), colours_(colours) {}
  console(const console&) = delete;
  console& operator=(const console&) = delete;
  ~console() { flush(); }

  bool is_terminal() const;
  /// Columns of the terminal, 80 when there is none.
  std::size_t width() const;

  /// `text` in a colour, or as it is when colours are off.
  std::string tinted(std::string_view text, tint t) const;

  /// Buffers; long texts are written as they come, unless `hold` was called.
  void write(std::string_view text);
  void line(std::string_view text);
  /// From now on only a flush writes: for callers that must never wait, and bound what they buffer
  /// by `pending`.
  void hold() { is_held_ = true; }
  /// Writes all that is buffered, waiting for the reader.
  void flush();
  /// Writes what the reader takes without making us wait.
  void flush_ready();
  std::size_t pending() const { return buffer_.size(); }

  /// Whether the reader is gone (`| head`): from then on everything is dropped.
  bool is_closed() const { return closed_; }
  int descriptor() const { return fd_; }

private:
  bool write_some(std::size_t most);

  int fd_;
  colour colours_;
  bool closed_ = false;
  bool is_held_ = false;
  std::string buffer_;
};

} // namespace sluice::cli
