-- What tasks found before they changed anything.

-- One per task, of its generation, until it succeeded or was rolled back. With a rowid: rows are
-- wide.
CREATE TABLE snapshot (
  run_no     INTEGER NOT NULL,
  task_idx   INTEGER NOT NULL,
  data       BLOB NOT NULL,
  encoding   TEXT NOT NULL CHECK (encoding = 'plain' OR encoding = 'zlib'),
  size_bytes INTEGER NOT NULL, -- of the data as it was given
  saved_us   INTEGER NOT NULL,
  PRIMARY KEY (run_no, task_idx)
) STRICT;
