#include "runtime/footprint.hpp"

#include <link.h>
#include <malloc.h>

#include <cstdint>

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace sluice::runtime {
namespace {

/// Drops the read-only segments of one loaded object. Nothing is lost: they are unchanged pages of
/// its file. Segments that can be written, relocated ones among them, are left alone.
int drop_read_only_segments(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0)
      continue;
    const auto begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const auto end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED); // advice: may be refused
  }
  return 0;
}

} // namespace

void share_heap_arenas() {
  ::mallopt(M_ARENA_MAX, 2);
}

void release_unused_memory() {
  ::malloc_trim(0);
  ::dl_iterate_phdr(drop_read_only_segments, nullptr);
}

std::chrono::microseconds processor_time() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto since_start = [](const timeval& t) {
    return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
  };
  return since_start(used.ru_utime) + since_start(used.ru_stime);
}

} // namespace sluice::runtime
