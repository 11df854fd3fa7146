// Keeping the process small: most of its resident memory would be pages of programs and libraries
// that only its start has used. For programs of ours, which own their process; libsluice never
// calls it.
#pragma once

namespace sluice::runtime {

/// Lets all threads share two heap arenas: one per thread, each with slack of its own, costs more
/// memory than our threads' few allocations gain in speed. Call before the first thread.
void share_heap_arenas();

/// Gives back what the start has used and nothing will use soon: free heap pages, and pages of code
/// and constants, which the kernel maps again from its cache when they are touched. Costs some
/// hundred soft page faults. Call it when the work has begun, and again after the first rush.
void release_startup_memory();

} // namespace sluice::runtime
