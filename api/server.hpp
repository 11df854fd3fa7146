// The API's server: HTTP over a unix socket, on one thread of its own that sleeps while nobody
// calls. Knows no route; hands each request to a handler, which may answer later and from any
// thread.
#pragma once

#include "api/requests.hpp"
#include "model/error.hpp"
#include "model/time.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>

namespace sluice::api {

struct server_options {
  std::filesystem::path socket; ///< made with mode 0600; an old one there is replaced
  std::size_t header_limit_bytes = 8u << 10;
  std::size_t body_limit_bytes = 1u << 20;
  std::size_t connections = 64; ///< at once; further ones wait in the kernel's queue
  /// For a whole request to arrive, or a response to leave; what takes longer is cut off.
  model::milliseconds transfer_time{10'000};
};

/// Called on the server's thread; must not block.
using request_handler = std::function<void(request, responder)>;

class server {
public:
  /// Makes the socket; who connects waits until it is served. @pre the caller holds the lock of the
  /// store whose socket it is. Errors: `unavailable` when the socket cannot be made.
  static expected<std::unique_ptr<server>> listen(server_options options);
  /// Begins to answer. Once. Errors: `unavailable` when there is no thread to be had.
  expected<void> serve(request_handler handler);
  /// Both.
  static expected<std::unique_ptr<server>> start(server_options options, request_handler handler);

  /// Takes no request any more, answers those it has taken, for at most a second, closes all
  /// connections and removes the socket. A response that comes later goes nowhere.
  ~server();

private:
  struct implementation;
  explicit server(std::unique_ptr<implementation> impl);
  std::unique_ptr<implementation> impl_;
};

} // namespace sluice::api
