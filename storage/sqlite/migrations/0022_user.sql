-- Whose a run is.

ALTER TABLE run ADD COLUMN user TEXT NOT NULL DEFAULT '';
