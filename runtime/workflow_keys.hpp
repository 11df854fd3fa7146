// The keys of a workflow file: which there are, where they may stand, and which of them this
// version has. The one table behind reading and its messages. Plain functions, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::runtime {

/// Where a key may stand; the values combine in `key_row::where`.
enum class key_level : std::uint16_t {
  workflow = 1,
  defaults = 2,
  task = 4,
  limits = 8,
  param = 16,
  retry = 32,
  checkpoint = 64,
  command = 128,
  child = 256,
  group = 512,
  group_limits = 1024,
  budget = 2048,
  concurrency = 4096,
  rate = 8192,
};

enum class file_key : std::uint8_t {
  later, ///< part of the format, not of this version
  workflow,
  description,
  labels,
  params,
  defaults,
  on_failure,
  limits,
  tasks,
  finally,
  run,
  exec,
  call,
  child,
  file,
  gate,
  wait,
  in,
  out,
  after,
  join,
  when,
  env,
  workdir,
  shell,
  timeout,
  heartbeat,
  queue_timeout,
  deadline,
  retry,
  crash_limit,
  priority,
  preemptible,
  resources,
  pool,
  concurrency,
  rate,
  per,
  idempotency,
  on_exhausted,
  allow_failure,
  foreach,
  as,
  key,
  matrix,
  shard,
  max_parallel,
  max_failures,
  min_success,
  fallback,
  validate,
  rollback,
  snapshot,
  compensate,
  secrets,
  group,
  groups,
  timebox,
  budget,
  cost,
  tokens,
  time,
  on_exceeded,
  split,
  checkpoint,
  checkpoint_max,
  name,
  on_closed,
  prompt,
  form,
  expires,
  on_expire,
  gates,
  between,
  days,
  zone,
  quota_max,
  active_tasks,
  active_runs,
  type,
  default_value,
  choices,
  max,
  base,
  factor,
  cap,
  jitter,
  on,
  stop_on,
};

struct key_row {
  std::string_view name;
  std::uint16_t where;
  file_key key;
};

/// Null when the format has no such key there.
const key_row* find_key(std::string_view name, key_level where);

/// What is wrong with a key that cannot stand there, with the nearest that can.
std::string unknown_key(std::string_view name, key_level where);

/// `'x' is not in this version`.
std::string not_in_this_version(std::string_view name);

} // namespace sluice::runtime
