-- Tasks that have failed and whose work is undone.

ALTER TABLE task ADD COLUMN rolls_back INTEGER NOT NULL DEFAULT 0 CHECK (rolls_back IN (0, 1));
