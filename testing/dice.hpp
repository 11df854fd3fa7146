// Random choices from a seed: the same on every machine, which the distributions of the standard
// library are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace sluice::testing {

class dice {
public:
  explicit dice(std::uint64_t seed) : random_(seed) {}

  /// 0 to n - 1. @pre n > 0
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool percent(unsigned p) { return below(100) < p; }
  template <class Container>
  auto& one_of(Container& from) {
    return from[below(from.size())];
  }

private:
  std::mt19937_64 random_;
};

} // namespace sluice::testing
