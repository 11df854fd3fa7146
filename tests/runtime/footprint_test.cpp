#include "runtime/footprint.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <string>

#include <unistd.h>

namespace {

std::size_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

TEST_CASE("footprint: what the start used is given back, and the program goes on",
          "[runtime][footprint]") {
  const auto before = resident_bytes();
  sluice::runtime::release_unused_memory();
  const auto after = resident_bytes();
  CHECK(after < before);
  CHECK(std::stoull(std::to_string(after)) == after); // code and constants come back
}

TEST_CASE("footprint: processor time grows with work", "[runtime][footprint]") {
  const auto before = sluice::runtime::processor_time();
  std::size_t work = 0;
  while (sluice::runtime::processor_time() < before + std::chrono::milliseconds{2})
    work += resident_bytes();
  CHECK(work > 0);
}
