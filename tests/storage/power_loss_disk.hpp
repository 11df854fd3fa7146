// A disk that loses what was not synced when its power goes: an SQLite VFS around the default one.
// What is written reaches the real files at once, as it reaches the page cache, and each file's
// writes since its last sync are remembered beside what a real disk would surely hold. When the
// power goes, the real files are made to hold that and a random part of the rest.
//
// The model, never kinder than a disk SQLite is made for:
// - sectors of 512 bytes; each that a write touches is stored, lost or torn (its first bytes only),
//   whatever happened to those before and after it;
// - bytes beside a write stay (SQLite's "powersafe overwrite"), where a file grew and the data is
//   lost there are zeros or garbage;
// - a file that was made or deleted is so for good after a sync of its directory, before that
//   either way is possible;
// - a sync that fails stores a random part and forgets the rest, which stays readable until the
//   power goes and is not written by the next sync, as Linux does it.
// The `-shm` file is passed through: SQLite takes nothing from it after a restart.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace sluice::storage {

/// May be used from any thread. @pre it outlives all that is open through it
class power_loss_disk {
public:
  /// Registers the VFS. Equal seeds and equal calls give equal disks.
  explicit power_loss_disk(std::uint64_t seed);
  power_loss_disk(const power_loss_disk&) = delete;
  power_loss_disk& operator=(const power_loss_disk&) = delete;
  ~power_loss_disk();

  /// For `store_options::vfs`.
  const std::string& vfs() const;

  /// From the `calls`th call on that would change the disk, 1 being the next, every call fails,
  /// until `power_on` or `start_again`.
  void stop_after(int calls);
  bool is_stopped() const;

  /// Each sync fails with this probability, from 0 to 1.
  void fail_syncs(double chance);
  /// How many syncs have failed.
  int failed_syncs() const;

  /// The machine lost its power and is on again: the real files hold what the disk held.
  /// @pre nothing is open through this
  void power_on();
  /// Only the process was killed: all that was written is in the page cache.
  /// @pre nothing is open through this
  void start_again();

private:
  class impl;
  std::unique_ptr<impl> impl_;
};

} // namespace sluice::storage
