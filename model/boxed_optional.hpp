// A value that most of its owners do not have.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace sluice::model {

/// Behaves like a `std::optional<T>`, and is no larger than a pointer. Copies are deep.
template <class T>
class boxed_optional {
public:
  boxed_optional() = default;
  boxed_optional(std::nullopt_t) {}
  boxed_optional(T value) // as implicit as an optional would be
    : own_(std::make_unique<T>(std::move(value))) {}
  boxed_optional(std::optional<T> value)
    : own_(value ? std::make_unique<T>(std::move(*value)) : nullptr) {}
  boxed_optional(const boxed_optional& other)
    : own_(other.own_ ? std::make_unique<T>(*other.own_) : nullptr) {}
  boxed_optional(boxed_optional&&) noexcept = default;
  boxed_optional& operator=(boxed_optional other) noexcept {
    own_ = std::move(other.own_);
    return *this;
  }
  boxed_optional& operator=(T value) { // so that braces may stand for a T
    own_ = std::make_unique<T>(std::move(value));
    return *this;
  }
  ~boxed_optional() = default;

  operator std::optional<T>() const { return own_ ? std::optional<T>{*own_} : std::nullopt; }

  bool has_value() const { return own_ != nullptr; }
  explicit operator bool() const { return has_value(); }

  /// @pre it has a value
  const T& operator*() const { return *own_; }
  T& operator*() { return *own_; }
  const T* operator->() const { return own_.get(); }
  T* operator->() { return own_.get(); }

  friend bool operator==(const boxed_optional& a, const boxed_optional& b) {
    return a.own_ && b.own_ ? *a == *b : a.own_ == b.own_;
  }
  friend bool operator==(const boxed_optional& a, const std::optional<T>& b) {
    return a.own_ && b ? *a == *b : a.has_value() == b.has_value();
  }

private:
  std::unique_ptr<T> own_;
};

} // namespace sluice::model
