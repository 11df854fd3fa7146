#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>

using namespace sluice::cli_test;
using Catch::Contains;

namespace {

constexpr const char* value = "hunter2-is-not-a-password";

/// Everything that the store consists of, as bytes.
std::string all_of(const std::filesystem::path& store) {
  std::string bytes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{store}) {
    bytes += entry.path().string();
    if (!entry.is_regular_file())
      continue;
    std::ifstream file{entry.path(), std::ios::binary};
    bytes.append(std::istreambuf_iterator<char>{file}, {});
  }
  return bytes;
}

/// The variable is the runtime's while this lives.
struct given_variable {
  given_variable() { ::setenv("TEST_API_TOKEN", value, 1); }
  ~given_variable() { ::unsetenv("TEST_API_TOKEN"); }
};

constexpr const char* path_of_ours = "env: {PATH: '" SLUICE_BINARY_DIR ":/usr/bin:/bin'}";

} // namespace

TEST_CASE("secrets: no value is in the store or in what any verb shows", "[cli][secrets]") {
  const given_variable token;
  const workspace here;
  here.write("key", std::string{value} + "-of-the-file\n");
  here.write("w.yaml", std::string{"tasks:\n  a:\n    "} + path_of_ours
                         + "\n    secrets: {TOKEN: 'env:TEST_API_TOKEN', KEY: 'file:key'}\n"
                           "    in: {n: 1}\n    out: {n: int}\n    run: |\n"
                           "      echo \"$TOKEN and $KEY\"\n"
                           "      test ${#TOKEN} = 25\n"
                           "      env | base64\n"
                           "      sluice progress 0.5 half; sluice checkpoint c key && exit 9\n"
                           "      sluice progress 0.5 \"with $TOKEN\" && exit 9\n"
                           "      echo n=1 >> \"$SLUICE_OUT\"\n");
  const auto done = here.run({"--json", "run", "w.yaml"});
  const auto log = here.run({"logs", "r-1/a"}).out;
  INFO(log << done.out << done.err);
  CHECK(done.code == 0);
  CHECK_THAT(log, Contains("*** and ***") && Contains("must not be stored"));
  const auto stored = all_of(here.directory() / ".sluice");
  CHECK(stored.find("env:TEST_API_TOKEN") != std::string::npos);
  CHECK(stored.find("hunter2") == std::string::npos);
  for (const auto& verb : std::vector<std::vector<std::string>>{{"show", "r-1/a"},
                                                                {"--json", "show", "r-1/a"},
                                                                {"events", "r-1"},
                                                                {"--json", "events", "r-1"},
                                                                {"tasks", "r-1"}}) {
    const auto shown = here.run(verb);
    CHECK(shown.out.find("hunter2-is-not-a") == std::string::npos);
    CHECK(shown.err.find("hunter2-is-not-a") == std::string::npos);
  }
}

TEST_CASE("secrets: a reference that leads nowhere is named", "[cli][secrets]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  a: {run: 'true', secrets: {TOKEN: 'env:TEST_API_TOKEN'}}\n");
  const auto done = here.run({"run", "w.yaml"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out + done.err,
             Contains("task 'a' cannot have the secret TOKEN from 'env:TEST_API_TOKEN': the "
                      "runtime has no variable 'TEST_API_TOKEN'"));
  CHECK_THAT(here.run({"show", "r-1/a"}).out, Contains("secret_unavailable"));
}
