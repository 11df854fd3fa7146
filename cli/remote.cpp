#include "cli/remote.hpp"

#include "api/client.hpp"
#include "api/problem.hpp"
#include "runtime/socket_path.hpp"

namespace sluice::cli {

tl::expected<model::value, int> ask_holder(session& s, const api::request& what) {
  constexpr unsigned first_failure = 400;
  const auto socket = runtime::find_socket(s.store_dir);
  if (!socket)
    return tl::unexpected(s.fail(socket.error().message, exit_unreachable));
  const auto response = api::ask(*socket, what);
  if (!response)
    return tl::unexpected(s.fail(response.error().message, exit_unreachable));
  if (response->status >= first_failure)
    return tl::unexpected(s.fail(api::error_of(*response)));
  auto answer = model::parse_json(response->body);
  if (!answer)
    return tl::unexpected(s.fail(answer.error().message, exit_internal));
  return std::move(*answer);
}

} // namespace sluice::cli
