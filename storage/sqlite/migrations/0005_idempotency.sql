-- Requests that must not be carried out twice.

CREATE TABLE idempotency (
  digest     TEXT NOT NULL PRIMARY KEY,
  request    TEXT NOT NULL, -- digest of what was asked for with it
  run_no     INTEGER NOT NULL,
  expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_expiry ON idempotency (expires_us);
