#include "executors/masked_output.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace sluice::executors {
namespace {

constexpr std::size_t piece_bytes = std::size_t{64} << 10; // as much as a pipe holds by default
// At the end, for what an escaped process prints faster than we read. A pipe has at most a
// mebibyte, unless the administrator allows more.
constexpr int most_last_pieces = 32;

} // namespace

tl::expected<std::unique_ptr<masked_output>, int>
masked_output::open(const std::string& log_path, std::shared_ptr<const mask_patterns> patterns) {
  const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0)
    return tl::unexpected(errno);
  std::array<int, 2> ends{};
  // Only our end does not block: the file descriptions of the two are not the same.
  if (::pipe2(ends.data(), O_CLOEXEC) != 0 || ::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
    const int err = errno;
    ::close(log);
    return tl::unexpected(err);
  }
  return std::unique_ptr<masked_output>{
    new masked_output{log, ends[0], ends[1], std::move(patterns)}};
}

masked_output::~masked_output() {
  close(log_);
  close(read_end_);
  close(write_end_);
}

void masked_output::close(int& fd) {
  if (fd >= 0)
    ::close(std::exchange(fd, -1));
}

void masked_output::close_write_end() {
  close(write_end_);
}

/// Whether there may be more.
bool masked_output::read_piece() {
  if (read_end_ < 0)
    return false;
  std::array<char, piece_bytes> piece;
  ssize_t size = 0;
  do
    size = ::read(read_end_, piece.data(), piece.size());
  while (size < 0 && errno == EINTR);
  if (size < 0 && errno == EAGAIN)
    return false;
  if (size <= 0) {
    close(read_end_);
    return false;
  }
  masker_.feed({piece.data(), static_cast<std::size_t>(size)}, out_);
  write_out();
  return true;
}

void masked_output::read_some() {
  read_piece();
}

void masked_output::finish() {
  close_write_end();
  for (int i = 0; i < most_last_pieces && read_piece(); ++i)
    ;
  masker_.finish(out_);
  write_out();
  close(read_end_);
  close(log_);
}

/// What cannot be written is lost, as it is for a task that writes itself and does not look.
void masked_output::write_out() {
  std::string_view left = out_;
  while (!left.empty()) {
    const auto size = ::write(log_, left.data(), left.size());
    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0)
      break;
    left.remove_prefix(static_cast<std::size_t>(size));
  }
  out_.clear();
}

} // namespace sluice::executors
