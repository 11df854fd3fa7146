#!/bin/sh
# Loads the tables into a new SQLite database; running it again replaces it as a whole.
# In: joined, continents, offsets, database. Out: database, rows.
set -eu
fresh=$database.new
rm -f "$fresh"
sqlite3 -bail "$fresh" <<SQL
CREATE TABLE place(code TEXT, country TEXT, zone TEXT, continent TEXT,
                   winter_min INTEGER, summer_min INTEGER, PRIMARY KEY (zone, code));
CREATE TABLE continent(name TEXT PRIMARY KEY, zones INTEGER, countries INTEGER, shifting INTEGER);
CREATE TABLE utc_offset(minutes INTEGER PRIMARY KEY, shown TEXT, zones INTEGER, countries INTEGER);
.mode tabs
.import '$joined' place
.import '$continents' continent
.import '$offsets' utc_offset
CREATE INDEX place_by_country ON place(code);
SQL
mv "$fresh" "$database"
rows=$(sqlite3 "$database" 'SELECT count(*) FROM place')
echo "$rows rows of place in $database"
printf 'database=%s\nrows=%s\n' "$database" "$rows" >"$SLUICE_OUT"
