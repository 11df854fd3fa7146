-- What attempts hold beside their slots, and how large pools are.

ALTER TABLE attempt ADD COLUMN holds TEXT; -- JSON: resources, pool, key, rate; null: nothing

-- For what was started lately of a rate, after a restart.
CREATE INDEX attempt_holds ON attempt (dispatched_us) WHERE holds IS NOT NULL;

-- Those that are not here have no limit.
CREATE TABLE pool (
  name       TEXT NOT NULL PRIMARY KEY,
  size       INTEGER NOT NULL CHECK (size >= 0),
  actor      TEXT NOT NULL,    -- who said so
  changed_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
