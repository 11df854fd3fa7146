-- Runs that are rolled back.

ALTER TABLE run ADD COLUMN rolls_back INTEGER NOT NULL DEFAULT 0 CHECK (rolls_back IN (0, 1));

-- Tasks that succeeded and can be compensated. Their order is that of the events, as times can tie,
-- and clocks are set.
CREATE TABLE completion (
  run_no   INTEGER NOT NULL,
  task_idx INTEGER NOT NULL,
  attempt  INTEGER NOT NULL, -- that succeeded: it has the inputs
  seq      INTEGER NOT NULL, -- of the event
  PRIMARY KEY (run_no, task_idx)
) STRICT, WITHOUT ROWID;
