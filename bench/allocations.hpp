// How often the process has allocated memory with `new`.
#pragma once

#include <cstdint>

namespace sluice::bench {

std::uint64_t allocations();

} // namespace sluice::bench
