#include "cli/log_follower.hpp"

#include "cli/words.hpp"

namespace sluice::cli {
namespace {

constexpr std::size_t page = 500;
constexpr std::size_t longest_rest = 64 * 1024; // a line without an end is printed in pieces

} // namespace

log_follower::log_follower(session& s, runtime::history& store, runtime::change_watch watch,
                           model::run_no run, std::optional<std::uint32_t> task)
  : session_(s), store_(store), watch_(std::move(watch)), run_(run), task_(task) {}

expected<void> log_follower::follow() {
  if (auto watching = watch_.add_directory(store_.store_dir()); !watching)
    return watching;
  while (true) {
    // Looked at before the events: a run that is over has written all of them.
    const auto run = store_.run(to_string(run_));
    if (!run)
      return tl::unexpected(run.error());
    if (auto read = read_events(); !read)
      return read;
    if (!run->is_live()) {
      has_ended_ = true;
      for (auto& [key, stream] : streams_)
        stream.has_ended = true;
    }
    if (auto pumped = pump_all(); !pumped)
      return pumped;
    session_.out.flush();
    if (has_ended_ || session_.out.is_closed())
      return {};
    if (const auto woken = watch_.wait(); !woken)
      return tl::unexpected(woken.error());
  }
}

expected<void> log_follower::read_events() {
  while (true) {
    const auto events = store_.events(run_, last_seq_, page);
    if (!events)
      return tl::unexpected(events.error());
    for (const auto& e : *events) {
      last_seq_ = e.seq;
      apply(e);
      if (streams_.size() >= page) // a long history is printed as it is read
        if (auto pumped = pump_all(); !pumped)
          return pumped;
    }
    if (events->size() < page)
      return {};
  }
}

void log_follower::apply(const model::event& e) {
  if (!e.task_idx) {
    if (e.type == model::event_type::run_finished)
      has_ended_ = true;
    return;
  }
  if ((task_ && *e.task_idx != *task_) || e.is_note())
    return;
  const auto state = model::parse_task_state(e.to);
  const bool is_end = state && model::is_terminal(*state);
  if (e.attempt) {
    const model::attempt_key key{run_, *e.task_idx, *e.attempt};
    if (e.type == model::event_type::task_dispatched)
      streams_.try_emplace(key, stream{log_reader{store_.log_of(key)}, e.task});
    else if (const auto found = streams_.find(key);
             found != streams_.end()
             && (is_end || e.type == model::event_type::task_lost
                 || e.type == model::event_type::task_retrying
                 || e.type == model::event_type::task_fallback))
      found->second.has_ended = true;
  }
  if (task_ && is_end)
    has_ended_ = true;
}

expected<void> log_follower::pump_all() {
  for (auto it = streams_.begin(); it != streams_.end();) {
    auto& [key, stream] = *it;
    if (auto pumped = pump(stream, key); !pumped)
      return pumped;
    if (!stream.has_ended) {
      ++it;
      continue;
    }
    if (!stream.rest.empty())
      print_line(stream, key, stream.rest);
    watch_.remove_file(stream.log.path());
    it = streams_.erase(it);
  }
  return {};
}

expected<void> log_follower::pump(stream& from, model::attempt_key key) {
  if (!from.has_ended)
    if (auto watching = watch_.add_file(from.log.path()); !watching)
      return watching;
  const auto is_open = from.log.open();
  if (!is_open)
    return tl::unexpected(is_open.error());
  while (*is_open && !session_.out.is_closed()) {
    auto text = from.log.read();
    if (!text)
      return tl::unexpected(text.error());
    if (text->empty())
      break;
    print(from, key, std::move(*text));
  }
  return {};
}

void log_follower::print(stream& from, model::attempt_key key, std::string text) {
  if (task_ && !session_.json()) { // one task: exactly what it wrote
    session_.out.write(text);
    return;
  }
  from.rest += text;
  std::size_t begin = 0;
  for (auto end = from.rest.find('\n'); end != std::string::npos;
       begin = end + 1, end = from.rest.find('\n', begin))
    print_line(from, key, std::string_view{from.rest}.substr(begin, end - begin));
  from.rest.erase(0, begin);
  if (from.rest.size() > longest_rest)
    print_line(from, key, std::exchange(from.rest, {}));
}

void log_follower::print_line(const stream& from, model::attempt_key key, std::string_view line) {
  if (session_.json())
    session_.print_json({{"id", to_string(key)}, {"task", from.task}, {"line", line}});
  else if (session_.quiet())
    session_.out.line(line);
  else
    session_.out.line(session_.out.tinted(printable(from.task) + " | ", tint::dim)
                      + std::string{line});
}

} // namespace sluice::cli
