// How many starts may be recorded ahead of free slots.
#include "logic/dispatch_pace.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using logic::dispatch_pace;

namespace {

model::wall_time at_ms(std::int64_t ms) {
  return model::from_us(1'700'000'000'000'000 + ms * 1'000);
}

} // namespace

TEST_CASE("dispatch_pace: nothing is ahead while attempts are long", "[logic][dispatch_pace]") {
  dispatch_pace pace{8};
  CHECK(pace.ahead(at_ms(0)) == 0);
  for (int i = 0; i < 100; ++i) { // eight slots, tasks of 100 ms
    pace.note_end(at_ms(i * 13));
    CHECK(pace.ahead(at_ms(i * 13)) == 0);
  }
}

TEST_CASE("dispatch_pace: what ends in half of the window is ahead", "[logic][dispatch_pace]") {
  dispatch_pace pace{8};
  for (int i = 0; i < 100; ++i)
    pace.note_end(at_ms(2 * i));
  CHECK(pace.ahead(at_ms(200)) == 4); // those from 180 to 198
  CHECK(pace.ahead(at_ms(205)) == 3);
  CHECK(pace.ahead(at_ms(215)) == 0);
}

TEST_CASE("dispatch_pace: never more than the most", "[logic][dispatch_pace]") {
  const auto most = GENERATE(0u, 1u, 8u);
  dispatch_pace pace{most};
  for (int i = 0; i < 1'000; ++i)
    pace.note_end(at_ms(0));
  CHECK(pace.ahead(at_ms(0)) == most);
}

TEST_CASE("dispatch_pace: a clock that is set back starts anew", "[logic][dispatch_pace]") {
  dispatch_pace pace{8};
  for (int i = 0; i < 100; ++i)
    pace.note_end(at_ms(3'600'000));
  CHECK(pace.ahead(at_ms(0)) == 0);
  for (int i = 0; i < 3; ++i)
    pace.note_end(at_ms(1));
  CHECK(pace.ahead(at_ms(2)) == 1);
}
