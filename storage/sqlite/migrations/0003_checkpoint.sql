-- Progress that tasks save.

-- One per task: the last. With a rowid: rows are wide.
CREATE TABLE checkpoint (
  run_no     INTEGER NOT NULL,
  task_idx   INTEGER NOT NULL,
  attempt    INTEGER NOT NULL, -- that saved it
  token      TEXT NOT NULL,
  data       BLOB NOT NULL,
  encoding   TEXT NOT NULL CHECK (encoding = 'plain' OR encoding = 'zlib'),
  size_bytes INTEGER NOT NULL, -- of the data as it was given
  saved_us   INTEGER NOT NULL,
  PRIMARY KEY (run_no, task_idx)
) STRICT;
