// A value that most of its owners leave at its default.
#pragma once

#include <memory>
#include <utility>

namespace sluice::model {

/// Behaves like a `T`, and is no larger than a pointer while it is a default-constructed one.
/// Copies are deep. `->` of a const one only reads; of another one it may be written through.
template <class T>
class rarely {
public:
  rarely() = default;
  rarely(T value) // as implicit as a T would be
    : own_(value == default_value() ? nullptr : std::make_unique<T>(std::move(value))) {}
  rarely(const rarely& other) : own_(other.own_ ? std::make_unique<T>(*other.own_) : nullptr) {}
  rarely(rarely&&) noexcept = default;
  rarely& operator=(rarely other) noexcept {
    own_ = std::move(other.own_);
    return *this;
  }
  ~rarely() = default;

  /// False: it is the default. True: it may be.
  bool is_set() const { return own_ != nullptr; }

  const T& operator*() const { return own_ ? *own_ : default_value(); }
  const T* operator->() const { return &**this; }
  T& operator*() {
    if (!own_)
      own_ = std::make_unique<T>();
    return *own_;
  }
  T* operator->() { return &**this; }

  friend bool operator==(const rarely& a, const rarely& b) { return *a == *b; }

private:
  static const T& default_value() {
    static const T value;
    return value;
  }

  std::unique_ptr<T> own_;
};

} // namespace sluice::model
