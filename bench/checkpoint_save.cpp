// P12: how long a task waits for a checkpoint of 5 KB to be on the disk, saved over the socket.
// Limit: one fdatasync before each save.
#include "api/client.hpp"
#include "api/handlers.hpp"
#include "api/server.hpp"
#include "bench/bare_store.hpp"
#include "bench/figure.hpp"
#include "bench/node.hpp"
#include "bench/workloads.hpp"

#include <array>
#include <cstdlib>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace sluice;

constexpr std::size_t saves = 100; ///< of one repetition, each of a task of its own: none merge

/// The tokens of tasks that sleep, as they write them into a pipe.
class sleeping_tasks {
public:
  sleeping_tasks(runtime::orchestrator& node, const std::filesystem::path& pipe,
                 std::size_t count) {
    if (::mkfifo(pipe.c_str(), 0600) != 0)
      bench::give_up("cannot make a pipe");
    // Read and write: no end of file while no task has it open.
    pipe_ = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
    const auto text = "echo \"$SLUICE_TOKEN\" > '" + pipe.string() + "'; exec sleep 600";
    bench::must(node.submit(bench::submission_of(
      bench::independent_tasks("sleeping", model::run_action{text}, count), "sleeping")));
  }
  sleeping_tasks(const sleeping_tasks&) = delete;
  sleeping_tasks& operator=(const sleeping_tasks&) = delete;
  ~sleeping_tasks() { ::close(pipe_); }

  /// Of a task that nobody has asked for; waits until one more runs.
  std::string next_token() {
    std::size_t end;
    while ((end = text_.find('\n')) == std::string::npos) {
      std::array<char, 4096> part;
      const auto got = ::read(pipe_, part.data(), part.size());
      if (got <= 0)
        bench::give_up("cannot read the tokens");
      text_.append(part.data(), static_cast<std::size_t>(got));
    }
    auto token = text_.substr(0, end);
    text_.erase(0, end + 1);
    return token;
  }

private:
  int pipe_ = -1;
  std::string text_;
};

} // namespace

int main(int argc, char** argv) {
  const std::size_t repetitions = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 5;
  bench::scratch_directory scratch;
  const auto tasks = saves * (repetitions + 1);
  std::unique_ptr<api::server> server;
  std::filesystem::path socket;
  const auto open_socket = [&](const std::filesystem::path& at) {
    socket = at;
    return api::server::listen({.socket = at}).map([&](auto made) { server = std::move(made); });
  };
  const auto node = bench::start_node(scratch.path() / "store", static_cast<std::uint32_t>(tasks),
                                      nullptr, open_socket);
  bench::must(server->serve([calls = api::calls_of(*node)](api::request what, api::responder done) {
    api::handle(calls, std::move(what), std::move(done));
  }));
  std::vector<std::string> tokens; // all of them, so that nothing starts while saves are timed
  sleeping_tasks sleeping{*node, scratch.path() / "tokens", tasks};
  while (tokens.size() < tasks)
    tokens.push_back(sleeping.next_token());

  std::string text; // of the kind that programs save
  for (int i = 0; text.size() < 5'000; ++i)
    text += "{\"row\": " + std::to_string(i * 7919) + ", \"done\": true}\n";
  bench::bare_commit disk{scratch.path()};
  bench::figure result{.id = "P12",
                       .what = "checkpoint of 5 KB over the socket, until it is on disk: median of "
                               "100, against fdatasync",
                       .unit = "ms",
                       .wanted = {bench::budget_kind::figure_at_most, 2}};
  for (std::size_t i = 0; i <= repetitions; ++i) { // the first one warms up
    std::vector<double> ours, bare;
    for (std::size_t j = 0; j < saves; ++j) {
      bare.push_back(disk.seconds());
      const bench::stopwatch since;
      const auto answer =
        bench::must(api::ask(socket, {.verb = api::verb::post,
                                      .target = "/api/v1/attempt/checkpoint?token=t",
                                      .bearer = tokens[i * saves + j],
                                      .body = text}));
      ours.push_back(since.elapsed().seconds);
      if (answer.status != 204)
        bench::give_up("a save was refused: " + answer.body);
    }
    if (i == 0)
      continue;
    result.values.push_back(1e3 * bench::summarize(ours).median);
    result.limits.push_back(1e3 * bench::summarize(bare).median);
  }
  server.reset();
  node->stop();
  bench::print(result);
}
