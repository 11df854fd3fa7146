#include "storage/sqlite/guarded.hpp"
#include "storage/sqlite/tables.hpp"

#include <charconv>

namespace sluice::storage::sqlite {
namespace {

/// Numbers with a blank between them: what one row of meta holds of a commit.
meta_mark parse_mark(const std::string& text) {
  meta_mark mark;
  const char* const end = text.data() + text.size();
  const auto step = std::from_chars(text.data(), end, mark.commit.incarnation);
  const auto seq = step.ptr < end ? std::from_chars(step.ptr + 1, end, mark.commit.step) : step;
  const auto last = seq.ptr < end ? std::from_chars(seq.ptr + 1, end, mark.last_seq) : seq;
  if (step.ec != std::errc{} || seq.ec != std::errc{} || last.ec != std::errc{} || last.ptr != end)
    throw unreadable_row{"meta.last_step is '" + text + "'"};
  return mark;
}

} // namespace

meta_mark select_mark(connection& db) {
  query row{db, R"sql(SELECT value FROM meta WHERE key = 'last_step')sql"};
  return row.next() ? parse_mark(row.text(0)) : meta_mark{};
}

void update_mark(connection& db, const meta_mark& mark) {
  // One row for the three, as it is written with every commit.
  query{db,
        R"sql(
    INSERT INTO meta (key, value) VALUES ('last_step', ?1)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value
  )sql",
        std::to_string(mark.commit.incarnation) + " " + std::to_string(mark.commit.step) + " "
          + std::to_string(mark.last_seq)}
    .run();
}

} // namespace sluice::storage::sqlite
