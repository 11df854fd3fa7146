#include "logic/transitions.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <sstream>
#include <string>

using namespace sluice;
using namespace sluice::logic;
using table = std::map<std::string, std::string>;

namespace {

/// The tables of the state model, by name: row = from, text = all it may become.
const table task_moves = {
  {"pending", "waiting ready skipped failed paused cancelled succeeded"},
  {"waiting", "ready succeeded failed skipped paused cancelled"},
  {"ready", "waiting dispatched succeeded failed paused cancelled skipped"},
  {"dispatched", "running failed retry_wait waiting ready cancelling"},
  {"running", "deferred validating succeeded retry_wait failed waiting ready cancelling"},
  {"deferred", "running validating succeeded retry_wait failed waiting ready cancelling"},
  {"validating", "succeeded retry_wait failed waiting ready cancelling"},
  {"retry_wait", "waiting ready failed paused cancelled skipped succeeded"},
  {"paused", "pending retry_wait failed cancelled skipped succeeded"},
  {"cancelling",
   "cancelling cancelled failed retry_wait waiting ready succeeded rolling_back rolled_back"},
  {"rolling_back", "rolling_back cancelling rolled_back failed"},
  {"succeeded", "rolling_back pending"},
  {"failed", "rolling_back succeeded skipped pending"},
  {"skipped", "pending"},
  {"cancelled", "pending"},
  {"rolled_back", "pending"},
};
const table run_moves = {
  {"queued", "running cancelled"},
  {"running", "cancelling rolling_back failed succeeded"},
  {"cancelling", "cancelled failed"},
  {"rolling_back", "cancelling rolled_back failed"},
  {"succeeded", "rolling_back running"},
  {"failed", "rolling_back running"},
  {"cancelled", "running"},
  {"rolled_back", "running"},
};

template <class State>
void check_table(const table& moves, std::size_t states) {
  REQUIRE(moves.size() == states);
  for (std::size_t from = 0; from < states; ++from) {
    std::istringstream row{moves.at(std::string{to_string(State(from))})};
    std::set<std::string> allowed;
    for (std::string name; row >> name;)
      allowed.insert(name);
    for (std::size_t to = 0; to < states; ++to) {
      CAPTURE(to_string(State(from)), to_string(State(to)));
      CHECK(is_legal(State(from), State(to))
            == (allowed.count(std::string{to_string(State(to))}) != 0));
    }
  }
}

} // namespace

TEST_CASE("transitions: a task moves as the table says and in no other way",
          "[logic][transitions]") {
  check_table<model::task_state>(task_moves, model::task_state_count);
}

TEST_CASE("transitions: a run moves as the table says and in no other way",
          "[logic][transitions]") {
  check_table<model::run_state>(run_moves, model::run_state_count);
}
