-- What people allow for the whole store; pools were the first of it.

CREATE TABLE store_limit (
  kind       TEXT NOT NULL
               CHECK (kind = 'slots' OR kind = 'resource' OR kind = 'pool' OR kind = 'workflow_share'
                      OR kind = 'user_share'),
  name       TEXT NOT NULL, -- empty for slots
  amount     INTEGER NOT NULL CHECK (amount >= 0),
  actor      TEXT NOT NULL, -- who said so
  changed_us INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

INSERT INTO store_limit SELECT 'pool', name, size, actor, changed_us FROM pool;
DROP TABLE pool;
