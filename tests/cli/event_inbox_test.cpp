#include "cli/event_inbox.hpp"

#include <catch2/catch.hpp>

#include <poll.h>

using namespace sluice;
using namespace sluice::cli;

namespace {

std::vector<model::event> events(std::int64_t first, std::int64_t last) {
  std::vector<model::event> made;
  for (auto seq = first; seq <= last; ++seq)
    made.emplace_back().seq = seq;
  return made;
}

bool is_readable(const event_inbox& inbox) {
  pollfd fd{inbox.descriptor(), POLLIN, 0};
  return ::poll(&fd, 1, 0) == 1;
}

} // namespace

TEST_CASE("event_inbox: events come out in order and in portions", "[cli][event_inbox]") {
  event_inbox inbox{10};
  CHECK_FALSE(is_readable(inbox));
  inbox.push(events(1, 3));
  CHECK(is_readable(inbox));
  auto batch = inbox.take(2);
  REQUIRE(batch.events.size() == 2);
  CHECK(batch.events.front().seq == 1);
  CHECK(is_readable(inbox));
  batch = inbox.take(2);
  REQUIRE(batch.events.size() == 1);
  CHECK(batch.events.front().seq == 3);
  CHECK_FALSE(batch.has_gap);
  CHECK_FALSE(is_readable(inbox));
}

TEST_CASE("event_inbox: what does not fit is a gap behind the rest", "[cli][event_inbox]") {
  event_inbox inbox{2};
  inbox.push(events(1, 3));
  inbox.push(events(4, 5));
  auto batch = inbox.take(1);
  CHECK_FALSE(batch.has_gap);
  inbox.push(events(6, 6)); // there is room, but the order would be lost
  batch = inbox.take(10);
  REQUIRE(batch.events.size() == 1);
  CHECK(batch.events.front().seq == 2);
  CHECK(batch.has_gap);
  inbox.push(events(7, 7));
  batch = inbox.take(10);
  REQUIRE(batch.events.size() == 1);
  CHECK(batch.events.front().seq == 7);
  CHECK_FALSE(batch.has_gap);
}

TEST_CASE("event_inbox: an end stays readable and tells why", "[cli][event_inbox]") {
  event_inbox inbox{2};
  CHECK_FALSE(inbox.closed_by());
  inbox.push(events(1, 1));
  inbox.close({errc::internal, "scheduler died"});
  inbox.close({errc::internal, "later"});
  CHECK(inbox.take(10).events.size() == 1);
  CHECK(is_readable(inbox));
  CHECK(inbox.take(10).events.empty());
  REQUIRE(inbox.closed_by());
  CHECK(inbox.closed_by()->message == "scheduler died");
}
