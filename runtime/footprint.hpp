// Keeping the process small: most of its resident memory would be pages of programs and libraries
// that only its start has used. For programs of ours, which own their process; libsluice never
// calls it.
#pragma once

#include <chrono>

namespace sluice::runtime {

/// Lets all threads share two heap arenas: one per thread, each with slack of its own, costs more
/// memory than our threads' few allocations gain in speed. Call before the first thread.
void share_heap_arenas();

/// Gives back what has been used and will not be soon: free heap pages, and pages of code
/// and constants, which the kernel maps again from its cache when they are touched. Costs some
/// hundred soft page faults. Call it when the work has begun, and again after a rush.
void release_unused_memory();

/// What the process has used of the processors since it began, its threads together.
std::chrono::microseconds processor_time();

} // namespace sluice::runtime
