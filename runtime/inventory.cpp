#include "runtime/inventory.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include <sched.h>

namespace sluice::runtime {
namespace {

namespace fs = std::filesystem;

/// Of the file's first line that begins with a word, the number behind it; of any, if it is empty.
std::optional<std::int64_t> number_behind(const fs::path& file, std::string_view word) {
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(word))
      continue;
    try {
      return std::stoll(line.substr(word.size()));
    } catch (const std::exception&) { // `max`: there is no limit
      return std::nullopt;
    }
  }
  return std::nullopt;
}

/// Of cgroup v2, `/a/b` of the line `0::/a/b`; its own directory and those above it limit it.
fs::path own_cgroup(const inventory_places& places) {
  std::ifstream in{places.proc / "self/cgroup"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("0::/"))
      return line.substr(4);
  return {};
}

template <class Limit>
void for_each_level(const inventory_places& places, const Limit& limit) {
  auto at = places.cgroup;
  limit(at);
  for (const auto& part : own_cgroup(places))
    limit(at /= part);
}

std::int64_t thousandths_of_processors(const inventory_places& places) {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  auto amount =
    ::sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) * 1'000LL : 1'000LL;
  for_each_level(places, [&](const fs::path& at) {
    std::ifstream in{at / "cpu.max"}; // microseconds, or `max`, of so many
    double quota = 0, period = 0;
    if (in >> quota >> period && period > 0)
      amount = std::min(amount, std::max(1LL, std::llround(1'000 * quota / period)));
  });
  return amount;
}

/// What people can read; the machine has a little more.
std::int64_t whole_mebibytes(std::int64_t bytes) {
  constexpr std::int64_t mebibyte = 1 << 20;
  return bytes / mebibyte * mebibyte;
}

std::int64_t bytes_of_memory(const inventory_places& places) {
  auto bytes = number_behind(places.proc / "meminfo", "MemTotal:").value_or(0) * 1'024;
  for_each_level(places, [&](const fs::path& at) {
    if (const auto limit = number_behind(at / "memory.max", ""))
      bytes = std::min(bytes, *limit);
  });
  return whole_mebibytes(bytes);
}

std::int64_t free_bytes_beside(const fs::path& dir) {
  std::error_code failed;
  auto at = fs::absolute(dir, failed);
  while (at.has_relative_path() && !fs::exists(at, failed))
    at = at.parent_path();
  const auto space = fs::space(at, failed);
  return failed ? 0 : whole_mebibytes(static_cast<std::int64_t>(space.available));
}

std::int64_t thousandths_of_graphics(const inventory_places& places) {
  std::int64_t count = 0; // the driver numbers them without a gap
  while (fs::exists(places.dev / ("nvidia" + std::to_string(count))))
    ++count;
  return count * 1'000;
}

} // namespace

model::resource_amounts take_inventory(const fs::path& store_dir,
                                       const model::resource_amounts& given,
                                       const inventory_places& places) {
  std::map<std::string, std::int64_t> found{{"cpu", thousandths_of_processors(places)},
                                            {"mem", bytes_of_memory(places)},
                                            {"disk", free_bytes_beside(store_dir)}};
  if (const auto graphics = thousandths_of_graphics(places); graphics > 0)
    found["gpu"] = graphics;
  for (const auto& [name, amount] : given)
    found[name] = amount;
  return {found.begin(), found.end()};
}

expected<std::pair<std::string, std::int64_t>> parse_resource(std::string_view text) {
  const auto split = text.find('=');
  const auto name = text.substr(0, split);
  if (split == std::string_view::npos || !model::is_capacity_name(name))
    return fail(errc::invalid_argument,
                "'" + std::string{text} + "' is no resource; write it as gpu=2 or mem=8Gi");
  const auto amount = model::parse_amount(name, text.substr(split + 1));
  if (!amount)
    return tl::unexpected(amount.error());
  if (model::has_indices(name) && *amount % model::unit_of(name) != 0)
    return fail(errc::invalid_argument, std::string{name} + " is counted in whole units");
  return std::pair{std::string{name}, *amount};
}

} // namespace sluice::runtime
