#include "api/server.hpp"

#include "api/problem.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using protocol = asio::local::stream_protocol;

/// After a failed accept, such as for want of descriptors.
constexpr auto pause_after_failed_accept = std::chrono::seconds(1);
constexpr auto longest_farewell = std::chrono::seconds(1);

/// Whether the other end is a process of our user, or of root.
bool is_trusted(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
         && (peer.uid == ::geteuid() || peer.uid == 0);
}

request request_of(http::request<http::string_body>&& message) {
  request r;
  r.verb = message.method() == http::verb::get    ? verb::get
           : message.method() == http::verb::post ? verb::post
                                                  : verb::other;
  const auto target = message.target();
  r.target.assign(target.data(), target.size());
  const auto authorization = message[http::field::authorization];
  constexpr std::string_view scheme = "Bearer ";
  if (std::string_view{authorization.data(), authorization.size()}.starts_with(scheme))
    r.bearer.assign(authorization.data() + scheme.size(), authorization.size() - scheme.size());
  r.body = std::move(message.body());
  return r;
}

/// What is told to a client whose request could not be read; nothing when it just went away.
std::optional<response> refusal_of(const error_code& ec) {
  if (ec == http::error::body_limit)
    return problem(413, "too_large", "the body is larger than this server takes");
  if (ec == http::error::header_limit)
    return problem(431, "too_large", "the header is larger than this server takes");
  if (ec == http::error::end_of_stream || ec == http::error::partial_message)
    return std::nullopt;
  static const auto& of_http = error_code{http::error::end_of_stream}.category();
  if (ec.category() == of_http)
    return problem({errc::invalid_argument, "no HTTP request: " + ec.message()});
  return std::nullopt;
}

} // namespace

struct server::implementation {
  class connection;
  using connection_id = std::uint64_t;

  /// Where responders deliver to; outlives the server, whose end closes it.
  struct return_channel {
    std::mutex mutex;
    implementation* owner = nullptr;
  };

  explicit implementation(server_options o)
    : options{std::move(o)}, channel{std::make_shared<return_channel>()} {
    channel->owner = this;
  }
  ~implementation();

  expected<void> listen();
  expected<void> start_thread();
  void run();
  void accept();
  void adopt(protocol::socket socket);
  void drop(connection_id id);
  void leave();
  bool is_full() const { return connections.size() >= options.connections; }
  responder responder_for(connection_id id);

  server_options options;
  request_handler handler;
  std::shared_ptr<return_channel> channel;
  asio::io_context io{1};
  /// When every place waits for its response, nothing else keeps the thread.
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  protocol::acceptor acceptor{io};
  asio::steady_timer pause{io};
  asio::steady_timer last_moment{io};
  bool accepts = false;    ///< one accept is under way
  bool is_leaving = false; ///< nothing is taken any more, what was asked is answered
  std::unordered_map<connection_id, std::shared_ptr<connection>> connections;
  connection_id last_id = 0;
  std::thread thread;
};

/// One client: reads a request, waits for its response, writes it, and so on.
class server::implementation::connection
  : public std::enable_shared_from_this<server::implementation::connection> {
public:
  connection(implementation& owner, connection_id id, protocol::socket socket)
    : owner_{owner}, id_{id}, stream_{std::move(socket)} {}

  void read() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(owner_.options.header_limit_bytes));
    parser_->body_limit(owner_.options.body_limit_bytes);
    stream_.expires_after(owner_.options.transfer_time);
    http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](const error_code& ec, std::size_t) { self->on_read(ec); });
  }

  /// The response to the request that was read.
  void respond(const response& r) {
    if (std::exchange(waits_, false))
      write(r);
  }

  /// Ends, unless there is something to answer.
  void leave() {
    if (!waits_ && !writes_)
      stream_.close(); // its reading finds out, and drops it
  }

private:
  void on_read(const error_code& ec) {
    if (ec) {
      keeps_alive_ = false;
      if (const auto refusal = refusal_of(ec))
        return write(*refusal);
      return owner_.drop(id_);
    }
    if (owner_.is_leaving) {
      keeps_alive_ = false;
      return write(
        problem({errc::unavailable, "the runtime has just ended; give the command again"}));
    }
    auto message = parser_->release();
    keeps_alive_ = message.keep_alive();
    waits_ = true;
    stream_.expires_never(); // the runtime takes as long as its store does
    owner_.handler(request_of(std::move(message)), owner_.responder_for(id_));
  }

  void write(const response& r) {
    answer_ = {};
    answer_.version(11);
    answer_.result(r.status);
    answer_.set(http::field::content_type, r.type);
    for (const auto& [name, value] : r.headers)
      answer_.set(name, value);
    // Others may be waiting for this one's place.
    answer_.keep_alive(keeps_alive_ && !owner_.is_full() && !owner_.is_leaving);
    answer_.body() = r.body;
    answer_.prepare_payload();
    stream_.expires_after(owner_.options.transfer_time);
    writes_ = true;
    http::async_write(
      stream_, answer_,
      [self = shared_from_this()](const error_code& ec, std::size_t) { self->on_written(ec); });
  }

  void on_written(const error_code& ec) {
    writes_ = false;
    if (ec || !answer_.keep_alive() || owner_.is_leaving)
      return owner_.drop(id_);
    read();
  }

  implementation& owner_;
  connection_id id_;
  beast::basic_stream<protocol> stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> answer_;
  bool keeps_alive_ = false;
  bool waits_ = false;  ///< for the response of the handler
  bool writes_ = false; ///< that response
};

server::implementation::~implementation() {
  if (thread.joinable()) {
    asio::post(io, [this] { leave(); });
    thread.join();
  }
  {
    const std::lock_guard hold{channel->mutex};
    channel->owner = nullptr;
  }
  if (acceptor.is_open())
    ::unlink(options.socket.c_str());
  connections.clear();
}

expected<void> server::implementation::listen() {
  const auto cannot = [this](const std::string& what, const std::string& why) {
    return fail(errc::unavailable, "cannot " + what + " '" + options.socket.string() + "': " + why);
  };
  ::unlink(options.socket.c_str()); // of a runtime that was killed: the lock says it is gone
  error_code ec;
  acceptor.open(protocol{}, ec);
  if (!ec)
    acceptor.bind(protocol::endpoint{options.socket.string()}, ec);
  if (ec)
    return cannot("make the socket", ec.message());
  // Nobody can connect before `listen`, so there is no moment at which others could.
  if (::chmod(options.socket.c_str(), 0600) != 0)
    return cannot("protect the socket", errno_text(errno));
  acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec)
    return cannot("listen on the socket", ec.message());
  return {};
}

expected<void> server::implementation::start_thread() {
  sigset_t all, before; // signals of the program are not for this thread
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  expected<void> started;
  try {
    thread = std::thread{[this] { run(); }};
  } catch (const std::system_error& e) {
    started = fail(errc::unavailable, std::string{"cannot start the API's thread: "} + e.what());
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void server::implementation::run() {
  ::pthread_setname_np(::pthread_self(), "api");
  accept();
  while (!io.stopped())
    try {
      io.run();
    } catch (const std::exception& e) { // of one request; its client sees a closed connection
      spdlog::error("request failed cause='{}'", e.what());
    }
}

/// An operator's call may be what ended the last run: it gets its answer.
void server::implementation::leave() {
  is_leaving = true;
  error_code ignored;
  acceptor.cancel(ignored);
  pause.cancel();
  for (const auto& [id, one] : connections)
    one->leave();
  if (connections.empty())
    return io.stop();
  last_moment.expires_after(longest_farewell);
  last_moment.async_wait([this](const error_code&) { io.stop(); });
}

void server::implementation::accept() {
  if (accepts || is_full() || is_leaving)
    return;
  accepts = true;
  acceptor.async_accept([this](const error_code& ec, protocol::socket socket) {
    accepts = false;
    if (is_leaving)
      return;
    if (!ec) {
      adopt(std::move(socket));
      return accept();
    }
    spdlog::warn("connection not accepted cause='{}'", ec.message());
    pause.expires_after(pause_after_failed_accept);
    pause.async_wait([this](const error_code& aborted) {
      if (!aborted)
        accept();
    });
  });
}

void server::implementation::adopt(protocol::socket socket) {
  if (!is_trusted(socket.native_handle()))
    return spdlog::warn("connection of another user refused");
  const auto id = ++last_id;
  const auto [at, is_new] =
    connections.emplace(id, std::make_shared<connection>(*this, id, std::move(socket)));
  at->second->read();
}

void server::implementation::drop(connection_id id) {
  connections.erase(id); // it closes when the operation that found this out returns
  if (is_leaving && connections.empty())
    return io.stop();
  accept();
}

responder server::implementation::responder_for(connection_id id) {
  return [channel = channel, id](response r) {
    const std::lock_guard hold{channel->mutex};
    if (auto* owner = channel->owner; owner != nullptr)
      asio::post(owner->io, [owner, id, r = std::move(r)] {
        if (const auto at = owner->connections.find(id); at != owner->connections.end())
          at->second->respond(r);
      });
  };
}

expected<std::unique_ptr<server>> server::listen(server_options options) {
  try {
    auto impl = std::make_unique<implementation>(std::move(options));
    if (auto listening = impl->listen(); !listening)
      return tl::unexpected(listening.error());
    return std::unique_ptr<server>{new server{std::move(impl)}};
  } catch (const std::exception& e) { // the library's, when descriptors are short
    return fail(errc::unavailable, std::string{"cannot start the API: "} + e.what());
  }
}

expected<void> server::serve(request_handler handler) {
  impl_->handler = std::move(handler);
  return impl_->start_thread();
}

expected<std::unique_ptr<server>> server::start(server_options options, request_handler handler) {
  auto made = listen(std::move(options));
  if (made)
    if (auto serving = (*made)->serve(std::move(handler)); !serving)
      return tl::unexpected(serving.error());
  return made;
}

server::server(std::unique_ptr<implementation> impl) : impl_{std::move(impl)} {}

server::~server() = default;

} // namespace sluice::api
