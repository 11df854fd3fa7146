// A store on a disk that loses its power, and whose syncs fail: what was acknowledged is there when
// it is opened again, whole steps and nothing else.
#include "model/json.hpp"
#include "tests/storage/power_loss_disk.hpp"
#include "tests/storage/store_fixture.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <random>

using namespace sluice;
using namespace sluice::storage;

namespace {

using engine = std::mt19937_64;

int draw(engine& random, int from, int to) {
  return std::uniform_int_distribution<int>{from, to}(random);
}

/// Random steps of runs with a few tasks each, which know what the steps before them did.
class workload {
public:
  explicit workload(std::uint64_t seed) : random_(seed) {}

  /// Adds a step and returns it.
  step_ptr next() {
    std::vector<model::record> records;
    for (int left = draw(random_, 1, 3); left > 0; --left) {
      records.push_back(next_record());
      apply(records.back());
    }
    steps_.push_back(step_of(steps_.size() + 1, std::move(records)));
    return steps_.back();
  }

  /// Forgets the steps after this one: the store does not have them.
  void go_back_to(std::uint64_t step) {
    REQUIRE(step <= steps_.size());
    steps_.resize(step);
    runs_.clear();
    for (const auto& kept : steps_)
      for (const auto& record : kept->records)
        apply(record);
  }

  const std::vector<step_ptr>& steps() const { return steps_; }

private:
  enum class phase : std::uint8_t { pending, dispatched, over };

  model::record next_record() {
    if (runs_.empty() || draw(random_, 0, 5) == 0)
      return created(static_cast<std::int64_t>(runs_.size()) + 1, workflow_of({"a", "b", "c", "d"}),
                     "hash-" + std::to_string(draw(random_, 1, 3)));
    const auto run = draw(random_, 0, static_cast<int>(runs_.size()) - 1);
    const auto task = static_cast<std::uint32_t>(draw(random_, 0, 3));
    const std::int64_t run_no = run + 1;
    switch (runs_[static_cast<std::size_t>(run)][task]) {
    case phase::pending: {
      auto r = dispatched(run_no, task);
      r.inputs = model::to_text(random_text());
      return r;
    }
    case phase::dispatched: {
      auto r = ended(run_no, task);
      r.outcome.outputs = {{"text", random_text()}};
      return r;
    }
    case phase::over:
      break;
    }
    return model::warning_raised{{{run_no}, task, 1}, random_text(), at(6)};
  }

  /// Mostly short; some fill several pages.
  std::string random_text() {
    const auto size =
      draw(random_, 0, 9) == 0 ? draw(random_, 5'000, 20'000) : draw(random_, 0, 99);
    std::string text(static_cast<std::size_t>(size), ' ');
    for (auto& c : text)
      c = static_cast<char>(draw(random_, 'a', 'z'));
    return text;
  }

  void apply(const model::record& record) {
    if (std::holds_alternative<model::run_created>(record))
      runs_.push_back(std::vector<phase>(4));
    else if (const auto* r = std::get_if<model::attempt_dispatched>(&record))
      at_key(r->key) = phase::dispatched;
    else if (const auto* e = std::get_if<model::attempt_ended>(&record))
      at_key(e->outcome.key) = phase::over;
  }
  phase& at_key(const model::attempt_key& key) {
    return runs_[static_cast<std::size_t>(key.run_no.value) - 1][key.task_idx];
  }

  engine random_;
  std::vector<step_ptr> steps_;
  std::vector<std::vector<phase>> runs_;
};

/// All that can be read of a store, as text.
std::string content_of(reader& from) {
  std::ostringstream text;
  for (const auto& run : must(from.runs({.limit = 10'000}))) {
    text << "run " << run.run_no.value << ' ' << run.workflow << '@' << run.version << ' '
         << to_string(run.state) << '\n';
    for (const auto& task : must(from.tasks({.run_no = run.run_no}))) {
      text << " task " << task.name << ' ' << to_string(task.state) << ' ' << task.attempt << ' '
           << model::to_text(must(from.outputs(task.key))) << '\n';
      for (const auto& attempt : must(from.attempts(task.key)))
        text << "  attempt " << to_string(attempt.state) << ' ' << model::to_text(attempt.inputs)
             << '\n';
    }
  }
  for (const auto& e : must(from.events({.limit = 100'000})))
    text << e.seq << ' ' << to_string(e.type) << ' ' << e.run_no.value << ' '
         << e.task_idx.value_or(99) << ' ' << e.to << ' ' << model::to_text(e.data) << '\n';
  return text.str();
}

std::string content_after(std::span<const step_ptr> steps) {
  in_memory db;
  if (!steps.empty())
    must(db.store->commit(1, steps));
  return content_of(*db.reader);
}

/// Opens a copy of a store as the program does and returns its last step. Whatever that is, the
/// store holds just the steps up to it.
std::uint64_t verified_last_step(const store_paths& paths, const workload& written) {
  temporary_directory temporary;
  const store_paths copy{temporary.path() / "copy"};
  std::filesystem::create_directory(copy.dir);
  for (const auto* suffix : {"", "-wal", "-journal"})
    if (std::filesystem::exists(paths.database().string() + suffix))
      std::filesystem::copy(paths.database().string() + suffix, copy.database().string() + suffix);
  const auto store = must(open_store(copy));
  const auto last = must(store->last_commit()).step;
  SQLite::Database raw{copy.database().string()};
  CHECK(raw.execAndGet("PRAGMA integrity_check").getString() == "ok");
  REQUIRE(last <= written.steps().size());
  const auto reader = must(open_reader(copy));
  CHECK(content_of(*reader) == content_after(std::span{written.steps()}.first(last)));
  return last;
}

struct plan {
  durability sync = durability::full;
  double sync_failures = 0; ///< probability, for each sync
  double kills = 0;         ///< probability that only the process ends, and the power stays
};

/// A store on one disk through a few ends of its process, each at a random call to the disk.
class life {
public:
  life(std::uint64_t seed, const plan& how) : plan_(how), random_(seed), disk_(seed), work_(seed) {
    constexpr int pages[] = {4, 20, 2000};
    options_.checkpoint_pages = pages[draw(random_, 0, 2)];
    options_.cache_kib = 64; // some groups are larger: their pages are written before their end
    options_.sync = how.sync;
    options_.vfs = disk_.vfs();
  }

  void live() {
    for (int ends = 0; ends < 3; ++ends) {
      disk_.stop_after(draw(random_, 1, 350));
      disk_.fail_syncs(plan_.sync_failures);
      while (!disk_.is_stopped())
        work();
      snapshot_.reset();
      store_.reset();
      disk_.fail_syncs(0);
      if (std::bernoulli_distribution{plan_.kills}(random_))
        disk_.start_again();
      else
        disk_.power_on();
      compare(verified_last_step(paths_, work_));
    }
  }

  /// How often a step that had been acknowledged was not there.
  int losses() const { return losses_; }
  std::uint64_t acknowledgements() const { return acknowledgements_; }
  int failed_syncs() const { return disk_.failed_syncs(); }

private:
  void work() {
    if (draw(random_, 0, 9) == 0)
      look();
    else if (!store_ || draw(random_, 0, 29) == 0)
      open();
    else
      commit_group();
  }

  /// Someone reads beside the writer: what they look at cannot leave the log meanwhile.
  void look() {
    if (std::exchange(snapshot_, nullptr) != nullptr)
      return;
    try {
      snapshot_ = std::make_unique<SQLite::Database>(paths_.database().string(),
                                                     SQLite::OPEN_READONLY, 0, disk_.vfs());
      snapshot_->exec("BEGIN");
      snapshot_->execAndGet("SELECT count(*) FROM event");
    } catch (const SQLite::Exception&) { // there is no store yet, or the disk has stopped
      snapshot_.reset();
    }
  }

  void open() {
    store_.reset();
    // A reader that outlives the writer keeps the index of the log, so nothing is recovered. What
    // that leaves open after a failed sync is said in docs/operations.md.
    if (plan_.sync_failures > 0)
      snapshot_.reset();
    auto opened = open_store(paths_, options_);
    if (!opened)
      return check_unavailable(opened.error());
    const auto last = (*opened)->last_commit();
    if (!last)
      return check_unavailable(last.error());
    store_ = std::move(*opened);
    compare(last->step);
    // What a runtime finds at its start it shows and acts upon: as good as acknowledged.
    work_.go_back_to(last->step);
    acknowledged_ = last->step;
  }

  /// Commits what is not acknowledged yet, after an error the same steps again, as BATCH WRITER
  /// and SCHEDULER do.
  void commit_group() {
    if (work_.steps().size() == acknowledged_)
      for (int left = draw(random_, 1, 4); left > 0; --left)
        work_.next();
    const auto done = store_->commit(1, std::span{work_.steps()}.subspan(acknowledged_));
    if (!done) {
      check_unavailable(done.error());
      if (const auto last = store_->last_commit())
        CHECK(last->step == acknowledged_);
      return;
    }
    CHECK(store_->refused() == 0);
    acknowledged_ = work_.steps().size();
    ++acknowledgements_;
  }

  void compare(std::uint64_t found) { losses_ += found < acknowledged_ ? 1 : 0; }

  static void check_unavailable(const error& e) {
    CAPTURE(e.message);
    CHECK(e.code == errc::unavailable);
  }

  plan plan_;
  engine random_;
  temporary_directory temporary_;
  store_paths paths_{temporary_.path() / "store"};
  power_loss_disk disk_;
  store_options options_;
  workload work_;
  std::unique_ptr<store> store_;
  std::unique_ptr<SQLite::Database> snapshot_;
  std::uint64_t acknowledged_ = 0; ///< the last step that was
  std::uint64_t acknowledgements_ = 0;
  int losses_ = 0;
};

} // namespace

TEST_CASE("power loss: every acknowledged step is there, and no half one",
          "[storage][disk][power_loss]") {
  std::uint64_t acknowledgements = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) { // three losses each
    CAPTURE(seed);
    life one{seed, {}};
    one.live();
    REQUIRE(one.losses() == 0);
    acknowledgements += one.acknowledgements();
  }
  CHECK(acknowledgements > 300); // the power does not always go before the first
}

TEST_CASE("power loss: without durability acknowledged steps are lost, but never halves",
          "[storage][disk][power_loss]") {
  int losses = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    life one{seed, {.sync = durability::normal}};
    one.live();
    losses += one.losses();
  }
  CHECK(losses > 0); // or this disk would lose nothing, and the test above prove nothing
}

TEST_CASE("power loss: failed syncs before it lose nothing", "[storage][disk][power_loss]") {
  int failed_syncs = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    life one{seed, {.sync_failures = 0.2, .kills = 0.5}};
    one.live();
    REQUIRE(one.losses() == 0);
    failed_syncs += one.failed_syncs();
  }
  CHECK(failed_syncs > 100);
}
