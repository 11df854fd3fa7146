#include "runtime/inventory.hpp"

#include <catch2/catch.hpp>

#include <fstream>

#include <stdlib.h>

using namespace sluice;
using namespace sluice::runtime;

namespace {

namespace fs = std::filesystem;

/// A machine of files.
struct machine {
  fs::path root;
  inventory_places places;

  machine() {
    auto name = (fs::temp_directory_path() / "sluice-inventory-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root = name;
    places = {root / "proc", root / "cgroup", root / "dev"};
    write("proc/meminfo", "MemTotal:       2500 kB\nMemFree: 1 kB\n");
    write("proc/self/cgroup", "0::/a/b\n");
    fs::create_directories(root / "dev");
  }
  ~machine() { fs::remove_all(root); }
  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((root / file).parent_path());
    std::ofstream{root / file} << text;
  }
  std::int64_t amount(const std::string& name, const model::resource_amounts& given = {}) const {
    for (const auto& [known, amount] : take_inventory(root / "store", given, places))
      if (known == name)
        return amount;
    return -1;
  }
};

} // namespace

TEST_CASE("inventory: a node has what the machine has", "[runtime][inventory]") {
  const machine here;
  CHECK(here.amount("mem") == 2 << 20);
  CHECK(here.amount("cpu") >= 1'000);
  CHECK(here.amount("disk") > 0);
  CHECK(here.amount("gpu") == -1);
}

TEST_CASE("inventory: limits of cgroups above count too", "[runtime][inventory]") {
  const machine here;
  here.write("cgroup/a/memory.max", "1048576\n");
  here.write("cgroup/a/b/memory.max", "max\n");
  here.write("cgroup/a/b/cpu.max", "50000 100000\n");
  CHECK(here.amount("mem") == 1 << 20);
  CHECK(here.amount("cpu") == 500);
}

TEST_CASE("inventory: devices are counted and what is given goes first", "[runtime][inventory]") {
  const machine here;
  here.write("dev/nvidia0", "");
  here.write("dev/nvidia1", "");
  here.write("dev/nvidiactl", "");
  CHECK(here.amount("gpu") == 2'000);
  CHECK(here.amount("gpu", {{"gpu", 4'000}}) == 4'000);
  CHECK(here.amount("licence", {{"licence", 1'000}}) == 1'000);
}

TEST_CASE("inventory: a resource of the command line", "[runtime][inventory]") {
  CHECK(parse_resource("mem=2Gi") == std::pair<std::string, std::int64_t>{"mem", 2LL << 30});
  CHECK(parse_resource("licence=0.5") == std::pair<std::string, std::int64_t>{"licence", 500});
  for (const auto* text : {"", "cpu", "=1", "cpu=", "cpu=x", "gpu=0.5", "a b=1"})
    CHECK_FALSE(parse_resource(text));
}
