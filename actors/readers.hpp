// READERS: see interfaces.hpp. The connection is opened with the first request: many runs need
// none.
#pragma once

#include "actors/interfaces.hpp"
#include "storage/store.hpp"

#include <caf/stateful_actor.hpp>

namespace sluice::actors {

using reader_factory = std::function<expected<std::unique_ptr<storage::reader>>()>;

struct readers_state {
  readers_state() = default;

  std::unique_ptr<storage::reader> reader;
  reader_factory open;

  static inline const char* name = "readers";
};

readers_actor::behavior_type readers(readers_actor::stateful_pointer<readers_state> self,
                                     reader_factory open);

} // namespace sluice::actors
