-- Gates that are of all runs of the store.

-- Switches that somebody has set, and how they stand.
CREATE TABLE gate (
  name       TEXT PRIMARY KEY,
  is_open    INTEGER NOT NULL CHECK (is_open IN (0, 1)),
  actor      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  changed_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The audit trail of the switches: the last 10,000 changes.
CREATE TABLE gate_change (
  change_no  INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  is_open    INTEGER NOT NULL CHECK (is_open IN (0, 1)),
  actor      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  changed_us INTEGER NOT NULL
) STRICT;

-- What gates with a quota have let through: the last 10,000 of each name.
CREATE TABLE quota_pass (
  name   TEXT NOT NULL,
  number INTEGER NOT NULL,
  at_us  INTEGER NOT NULL,
  PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;
