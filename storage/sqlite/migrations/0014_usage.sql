-- What tasks say that their attempts used.

ALTER TABLE attempt ADD COLUMN usage TEXT; -- JSON, name -> number; null: nothing was said
