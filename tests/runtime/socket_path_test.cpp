#include "runtime/socket_path.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <string>

#include <sys/un.h>

using namespace sluice;
using namespace sluice::runtime;

TEST_CASE("socket_path: beside the database, or where the user's sockets are",
          "[runtime][socket_path]") {
  CHECK(socket_path({"/a/.sluice"}, "").value() == "/a/.sluice/sock");
  const std::filesystem::path deep = "/" + std::string(150, 'x');
  const auto other = socket_path({deep}, "/run/user/1");
  REQUIRE(other);
  CHECK(other->parent_path() == "/run/user/1");
  CHECK(other->native().size() < sizeof(sockaddr_un::sun_path));
  CHECK(socket_path({deep}, "/run/user/1").value() == *other);
  CHECK(socket_path({deep / "y"}, "/run/user/1").value() != *other);
}

TEST_CASE("socket_path: no place for it is said", "[runtime][socket_path]") {
  const std::filesystem::path deep = "/" + std::string(150, 'x');
  const std::filesystem::path user_dir =
    GENERATE(std::string{}, "/" + std::string(100, 'y')); // not set, and too long itself
  const auto none = socket_path({deep}, user_dir);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == errc::unavailable);
  CHECK_THAT(none.error().message, Catch::Contains("XDG_RUNTIME_DIR"));
}

TEST_CASE("socket_path: found by the lock of the store", "[runtime][socket_path]") {
  auto name = (std::filesystem::temp_directory_path() / "sluice-socket-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  const storage::store_paths paths{name};
  CHECK(find_socket(paths.dir).error().code == errc::unavailable);
  {
    const auto lock =
      storage::store_lock::acquire(paths, {.command = "test", .socket = "/somewhere/sock"});
    REQUIRE(lock);
    CHECK(find_socket(paths.dir).value() == "/somewhere/sock");
  }
  CHECK_THAT(find_socket(paths.dir).error().message, Catch::Contains("no runtime holds"));
  {
    const auto lock = storage::store_lock::acquire(paths, {.command = "test"});
    REQUIRE(lock);
    CHECK_THAT(find_socket(paths.dir).error().message, Catch::Contains("has no socket"));
  }
  std::filesystem::remove_all(paths.dir);
}
