#include "actors/caf_error.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

namespace sluice::actors {
namespace {

const auto category = caf::atom("sluice");

} // namespace

caf::error to_caf(const error& e) {
  return caf::error{static_cast<std::uint8_t>(e.code), category, caf::make_message(e.message)};
}

error from_caf(const caf::error& e) {
  if (e.category() == category) {
    std::string message;
    if (e.context().match_elements<std::string>())
      message = e.context().get_as<std::string>(0);
    return {static_cast<errc>(e.code()), std::move(message)};
  }
  if (e == caf::sec::request_timeout)
    return {errc::timeout, "no answer in time"};
  if (e == caf::sec::request_receiver_down)
    return {errc::unavailable, "the actor that was asked is gone"};
  std::string text = e.category() == caf::atom("exit") ? "ended" : "failed";
  if (e.context().match_elements<std::string>())
    text = e.context().get_as<std::string>(0);
  return {errc::internal, std::move(text)};
}

system_config::system_config(std::size_t threads) {
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", threads);
  set("logger.verbosity", caf::atom("quiet"));
}

caf::error describe_exception(caf::scheduled_actor* self, std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    spdlog::error("actor ended by an exception actor={} what={}", self->name(), e.what());
    return to_caf({errc::internal, e.what()});
  } catch (...) {
    spdlog::error("actor ended by an unknown exception actor={}", self->name());
    return to_caf({errc::internal, "unknown exception"});
  }
}

} // namespace sluice::actors
