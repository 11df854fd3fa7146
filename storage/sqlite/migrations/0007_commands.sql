-- Tasks with more than one command.

ALTER TABLE task ADD COLUMN fell_back INTEGER NOT NULL DEFAULT 0 CHECK (fell_back IN (0, 1));

-- No CHECK of the names: further commands bring further ones.
ALTER TABLE attempt ADD COLUMN role TEXT NOT NULL DEFAULT 'action';
