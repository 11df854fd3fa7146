-- Runs of which nothing starts for now.

ALTER TABLE run ADD COLUMN paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1));
