#include "executors/encoded_forms.hpp"
#include "executors/mask_patterns.hpp"

#include <algorithm>

namespace sluice::executors {
namespace {

// CR and LF: more than one line break in a row is no wrapping, and must not make us hold back more.
constexpr int most_breaks = 2;

} // namespace

void mask_patterns::add(std::string_view text, std::uint32_t owner) {
  for (const auto& form : literal_forms(text))
    literal_.add(form, owner);
  for (const auto& form : wrapped_forms(text))
    wrapped_.add(form, owner);
}

masker::masker(std::shared_ptr<const mask_patterns> patterns) : patterns_{std::move(patterns)} {}

void masker::take(unsigned char c, std::uint64_t at) {
  literal_ = patterns_->literal_.next(literal_, c);
  if (const auto length = patterns_->literal_.found(literal_); length > 0) {
    owner_ = patterns_->literal_.owner(literal_);
    found(at + 1 - length, at + 1);
  }
  const auto& wrapped = patterns_->wrapped_;
  if (c == '\n' || c == '\r') {
    if (++breaks_ > most_breaks) {
      wrapped_ = text_finder::start;
      counted_.clear();
    }
    return;
  }
  breaks_ = 0;
  wrapped_ = wrapped.next(wrapped_, c);
  const auto begun = wrapped.begun(wrapped_);
  if (begun == 0)
    return counted_.clear();
  counted_.push_back(at);
  if (const auto length = wrapped.found(wrapped_); length > 0) {
    owner_ = wrapped.owner(wrapped_);
    found(counted_[counted_.size() - length], at + 1);
  }
  if (counted_.size() > 2 * begun + 64)
    counted_.erase(counted_.begin(), counted_.end() - static_cast<std::ptrdiff_t>(begun));
}

/// Those that overlap, or touch, are one.
void masker::found(std::uint64_t begin, std::uint64_t end) {
  bool is_open = false;
  while (!found_.empty() && found_.back().end >= begin) {
    if (found_.back().begin <= begin) {
      begin = found_.back().begin;
      is_open = found_.back().is_open;
    }
    end = std::max(end, found_.back().end);
    found_.pop_back();
  }
  found_.push_back({begin, end, is_open});
}

/// Where what may become a secret begins: nothing from there on can be written.
std::uint64_t masker::begun_at() const {
  const auto end = offset_ + held_.size();
  const auto literal = end - patterns_->literal_.begun(literal_);
  const auto begun = patterns_->wrapped_.begun(wrapped_);
  return begun == 0 ? literal : std::min(literal, counted_[counted_.size() - begun]);
}

void masker::write_until(std::uint64_t limit, std::string& out) {
  auto at = offset_;
  const auto copy_to = [&](std::uint64_t end) {
    out.append(held_, at - offset_, end - at);
    at = end;
  };
  std::size_t written = 0;
  for (auto& part : found_) {
    if (part.begin >= limit)
      break;
    copy_to(part.begin);
    if (!part.is_open)
      out += mask;
    at = std::min(part.end, limit);
    if (part.end > limit) {
      part = {limit, part.end, true};
      break;
    }
    ++written;
  }
  found_.erase(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(written));
  copy_to(limit);
  held_.erase(0, limit - offset_);
  offset_ = limit;
}

void masker::feed(std::string_view piece, std::string& out) {
  auto at = offset_ + held_.size();
  held_ += piece;
  for (const char c : piece)
    take(static_cast<unsigned char>(c), at++);
  write_until(begun_at(), out);
}

void masker::finish(std::string& out) {
  write_until(offset_ + held_.size(), out);
  literal_ = wrapped_ = text_finder::start;
  counted_.clear();
  breaks_ = 0;
}

} // namespace sluice::executors
