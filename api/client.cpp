#include "api/client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <exception>

namespace sluice::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using protocol = asio::local::stream_protocol;

/// What a runtime sends is bounded by what it stores: see the limit of the server.
constexpr std::size_t most_body = std::size_t{16} << 20;

http::request<http::string_body> message_of(const request& what) {
  http::request<http::string_body> message;
  message.version(11);
  message.method(what.verb == verb::post ? http::verb::post : http::verb::get);
  message.target(what.target);
  message.set(http::field::host, "sluice"); // a must of HTTP/1.1, without meaning here
  message.keep_alive(false);
  if (!what.bearer.empty())
    message.set(http::field::authorization, "Bearer " + what.bearer);
  message.body() = what.body;
  message.prepare_payload();
  return message;
}

template <class View>
std::string text_of(const View& view) {
  return {view.data(), view.size()};
}

response response_of(http::response<http::string_body>&& message) {
  response r;
  r.status = message.result_int();
  r.type = text_of(message[http::field::content_type]);
  for (const auto& field : message)
    r.headers.emplace_back(text_of(field.name_string()), text_of(field.value()));
  r.body = std::move(message.body());
  return r;
}

expected<response> exchange(protocol::socket& socket, const request& what) {
  error_code not_written;
  http::write(socket, message_of(what), not_written);
  // A server that refuses a request may answer before it has read all of it.
  http::response_parser<http::string_body> parser;
  parser.body_limit(most_body);
  beast::flat_buffer buffer;
  error_code not_read;
  http::read(socket, buffer, parser, not_read);
  if (not_read && not_written)
    return fail(errc::unavailable, "the runtime has just ended; give the command again");
  if (not_read)
    return fail(errc::timeout, "the runtime did not answer: " + not_read.message());
  return response_of(parser.release());
}

} // namespace

expected<response> ask(const std::filesystem::path& socket, const request& what) {
  const auto unreachable = [&](const std::string& why) {
    return fail(errc::unavailable, "cannot reach the runtime at '" + socket.string() + "': " + why);
  };
  try {
    asio::io_context io{1};
    protocol::socket connection{io};
    error_code ec;
    connection.connect(protocol::endpoint{socket.string()}, ec);
    if (ec)
      return unreachable(ec.message());
    return exchange(connection, what);
  } catch (const std::exception& e) { // such as a path that is too long
    return unreachable(e.what());
  }
}

} // namespace sluice::api
