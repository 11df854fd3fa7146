// How long the kernel lets a thread of ours run before it looks at others. Short slices make it run
// sooner after a wake-up: between the exit of one task and the start of the next there are several
// threads of ours, which would each queue behind the tasks that keep the processors busy.
#pragma once

#include <cstdint>

namespace sluice::executors {

enum class slice_heirs : std::uint8_t {
  threads, ///< threads and children started from here on have it too
  none,    ///< they have the usual one: for the thread that starts tasks
};

/// Asks for the shortest slice for the calling thread. Needs no privilege and takes nothing from
/// others: the share of the processor stays the same. Kernels before 6.12 ignore it.
void prefer_short_slices(slice_heirs heirs);

} // namespace sluice::executors
