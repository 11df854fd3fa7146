-- Runs that have ended and start again, as another generation.

ALTER TABLE run ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
-- When the generation began, and with which event. Null: with the submission.
ALTER TABLE run ADD COLUMN began_us INTEGER;
ALTER TABLE run ADD COLUMN began_seq INTEGER;

-- The one in which the task was made pending last, and the one of the attempt.
ALTER TABLE task ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
ALTER TABLE attempt ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
