// Counts what the process allocates with `new`, in every thread. C code (SQLite) is not counted.
#include "bench/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace sluice::bench {
namespace {

std::atomic<std::uint64_t> count{0};

void* allocate(std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size == 0 ? 1 : size))
    return memory;
  throw std::bad_alloc{};
}

} // namespace

std::uint64_t allocations() {
  return count.load(std::memory_order_relaxed);
}

} // namespace sluice::bench

void* operator new(std::size_t size) {
  return sluice::bench::allocate(size);
}
void* operator new[](std::size_t size) {
  return sluice::bench::allocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
