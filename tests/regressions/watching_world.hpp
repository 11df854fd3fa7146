// A runtime whose events somebody follows.
#pragma once

#include "tests/actors/runtime_world.hpp"

namespace sluice {

struct watching_world : runtime_world {
  std::int64_t seen = 0;

  void watch() {
    self->send(host, actors::host_watch{1, [this](std::span<const model::event> events) {
                                          seen = events.back().seq;
                                        }});
    run();
  }
  bool has_seen_all() { return seen == stored_events().back().seq; }
};

} // namespace sluice
