#include "api/client.hpp"
#include "api/problem.hpp"
#include "api/server.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace sluice;
using namespace sluice::api;
using namespace std::chrono_literals;

namespace {

class socket_dir {
public:
  socket_dir() {
    auto name = (std::filesystem::temp_directory_path() / "sluice-api-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    dir_ = name;
  }
  ~socket_dir() { std::filesystem::remove_all(dir_); }
  std::filesystem::path socket() const { return dir_ / "sock"; }

private:
  std::filesystem::path dir_;
};

/// Tells the request back.
void echo(const request& what, const responder& done) {
  response r;
  r.type = "text/plain";
  r.body = what.target + "|" + what.bearer + "|" + what.body;
  r.headers.emplace_back("Sluice-Test", "yes");
  done(std::move(r));
}

std::unique_ptr<server> started(server_options options, request_handler handler) {
  auto s = server::start(std::move(options), std::move(handler));
  REQUIRE(s);
  return std::move(*s);
}

/// A client that may behave badly.
class raw_client {
public:
  explicit raw_client(const std::filesystem::path& path)
    : fd_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strcpy(at.sun_path, path.c_str());
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;
  ~raw_client() { ::close(fd_); }

  void send(const std::string& text) {
    REQUIRE(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL)
            == static_cast<ssize_t>(text.size()));
  }
  /// Everything until the server closes.
  std::string read_all() {
    std::string all;
    while (read_some(all)) {
    }
    return all;
  }
  std::string read_until(const std::string& part) {
    std::string all;
    while (all.find(part) == std::string::npos && read_some(all)) {
    }
    return all;
  }

private:
  bool read_some(std::string& all) {
    pollfd readable{fd_, POLLIN, 0};
    REQUIRE(::poll(&readable, 1, 60'000) == 1);
    char part[4096];
    const auto got = ::recv(fd_, part, sizeof part, 0);
    if (got > 0)
      all.append(part, static_cast<std::size_t>(got));
    return got > 0;
  }

  int fd_;
};

} // namespace

TEST_CASE("server: a request reaches the handler, the response its client", "[api][server]") {
  const socket_dir here;
  const auto s = started({.socket = here.socket()}, echo);
  const auto answer = ask(
    here.socket(), {.verb = verb::post, .target = "/x?y=1", .bearer = "12.7.2.ab", .body = "hi"});
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == "/x?y=1|12.7.2.ab|hi");
  CHECK(answer->type == "text/plain");
  CHECK(std::any_of(answer->headers.begin(), answer->headers.end(),
                    [](const auto& h) { return h.first == "Sluice-Test" && h.second == "yes"; }));
}

TEST_CASE("server: the socket is its owner's only, and goes with it", "[api][server]") {
  const socket_dir here;
  {
    const auto s = started({.socket = here.socket()}, echo);
    struct stat found {};
    REQUIRE(::stat(here.socket().c_str(), &found) == 0);
    CHECK(S_ISSOCK(found.st_mode));
    CHECK((found.st_mode & 0777) == 0600);
  }
  CHECK_FALSE(std::filesystem::exists(here.socket()));
  const auto answer = ask(here.socket(), {.target = "/"});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == errc::unavailable);
}

TEST_CASE("server: an old socket is replaced, a missing directory is an error", "[api][server]") {
  const socket_dir here;
  const int old = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::strcpy(at.sun_path, here.socket().c_str());
  REQUIRE(::bind(old, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  ::close(old); // its file stays, as after a kill
  {
    const auto s = started({.socket = here.socket()}, echo);
    CHECK(ask(here.socket(), {.target = "/"}));
  }
  const auto none = server::start({.socket = here.socket() / "deeper" / "sock"}, echo);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == errc::unavailable);
}

TEST_CASE("server: a connection serves one request after the other", "[api][server]") {
  const socket_dir here;
  const auto s = started({.socket = here.socket()}, echo);
  raw_client client{here.socket()};
  for (const auto* target : {"/one", "/two"}) {
    client.send(std::string{"GET "} + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_THAT(client.read_until("||"), Catch::Contains(target));
  }
}

TEST_CASE("server: what is too large or no HTTP is refused", "[api][server]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n", "HTTP/1.1 413 "},
    {"GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(5000, 'a') + "\r\n\r\n", "HTTP/1.1 431 "},
    {"nonsense\r\n\r\n", "HTTP/1.1 400 "},
  }));
  CAPTURE(want);
  const socket_dir here;
  const auto s =
    started({.socket = here.socket(), .header_limit_bytes = 4096, .body_limit_bytes = 1000}, echo);
  raw_client client{here.socket()};
  client.send(text);
  const auto answer = client.read_all();
  CHECK_THAT(answer, Catch::StartsWith(want));
  CHECK_THAT(answer, Catch::Contains("application/problem+json"));
}

TEST_CASE("server: a client that is slow is cut off", "[api][server]") {
  const socket_dir here;
  const auto s = started({.socket = here.socket(), .transfer_time = 50ms}, echo);
  raw_client client{here.socket()};
  client.send("GET / HTTP/1.1\r\n"); // and no more
  CHECK(client.read_all().empty());
}

TEST_CASE("server: more clients than places are served in turn", "[api][server]") {
  const socket_dir here;
  const auto s = started({.socket = here.socket(), .connections = 2}, echo);
  std::vector<std::thread> clients;
  std::mutex mutex;
  int served = 0;
  for (int i = 0; i < 20; ++i)
    clients.emplace_back([&] {
      const auto answer = ask(here.socket(), {.target = "/"});
      const std::lock_guard hold{mutex};
      served += answer && answer->status == 200;
    });
  for (auto& client : clients)
    client.join();
  CHECK(served == 20);
}

TEST_CASE("server: a full server does not keep connections for later", "[api][server]") {
  const socket_dir here;
  const auto s = started({.socket = here.socket(), .connections = 1}, echo);
  raw_client client{here.socket()};
  client.send("GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK_THAT(client.read_all(), Catch::Contains("Connection: close"));
}

TEST_CASE("server: a response may come later and from another thread", "[api][server]") {
  const socket_dir here;
  std::mutex mutex;
  std::condition_variable changed;
  responder later;
  auto s = started({.socket = here.socket()}, [&](const request&, responder done) {
    const std::lock_guard hold{mutex};
    later = std::move(done);
    changed.notify_all();
  });
  expected<response> answer = fail(errc::internal, "");
  std::thread client{[&] { answer = ask(here.socket(), {.target = "/"}); }};
  const auto taken = [&] {
    std::unique_lock hold{mutex};
    changed.wait(hold, [&] { return later != nullptr; });
    return std::exchange(later, nullptr);
  };
  taken()({.status = 202});
  client.join();
  REQUIRE(answer);
  CHECK(answer->status == 202);

  std::thread second{[&] { answer = ask(here.socket(), {.target = "/"}); }};
  const auto too_late = taken();
  s.reset();
  second.join();
  too_late({.status = 200}); // goes nowhere
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == errc::timeout); // nobody knows whether it was carried out
}

TEST_CASE("server: what was asked before its end is answered", "[api][server]") {
  const socket_dir here;
  std::promise<responder> asked;
  auto s = started({.socket = here.socket()},
                   [&](const request&, responder done) { asked.set_value(std::move(done)); });
  raw_client idle{here.socket()};
  expected<response> answer = fail(errc::internal, "");
  std::thread client{[&] { answer = ask(here.socket(), {.target = "/"}); }};
  const auto done = asked.get_future().get();
  std::thread end{[&] { s.reset(); }};
  CHECK(idle.read_all().empty()); // so the end has begun
  done({.status = 202});
  client.join();
  end.join();
  REQUIRE(answer);
  CHECK(answer->status == 202);
  CHECK_FALSE(std::filesystem::exists(here.socket()));
}

TEST_CASE("server: when every place waits, the responses still come", "[api][server]") {
  const socket_dir here;
  std::promise<responder> asked;
  const auto s = started({.socket = here.socket(), .connections = 1},
                         [&](const request&, responder done) { asked.set_value(std::move(done)); });
  for (int i = 0; i < 20; ++i) { // the server's thread has mostly gone to sleep by the answer
    asked = {};
    raw_client client{here.socket()};
    client.send("GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
    asked.get_future().get()({.status = 202});
    CHECK_THAT(client.read_all(), Catch::Contains("202"));
  }
}
