#!/bin/sh
# Prints the report and keeps a copy beside the database. In: database, checks, days, top, dir.
# Out: report.
set -eu
report=$dir/report.txt
ask() { # TITLE QUERY
  echo
  echo "$1"
  sqlite3 -readonly -header -column "$database" "$2"
}
{
  echo "The world's time zones on $days"
  echo "$(sqlite3 -readonly "$database" \
    'SELECT count(DISTINCT zone) || " zones, " || count(DISTINCT code) || " countries, "
       || (SELECT count(*) FROM utc_offset) || " offsets" FROM place'); $checks checks passed"

  ask "Continents and oceans" "
    SELECT name, zones, countries, shifting AS 'change clocks',
           printf('%.0f %%', 100.0 * shifting / zones) AS share
      FROM continent ORDER BY zones DESC, name"

  ask "The $top offsets with most countries (northern winter)" "
    SELECT shown AS offset, zones, countries,
           printf('%.*c', 1 + countries / 2, '#') AS ''
      FROM utc_offset ORDER BY countries DESC, minutes LIMIT $top"

  ask "Offsets that are no whole hour" "
    SELECT shown AS offset, group_concat(DISTINCT country) AS countries
      FROM utc_offset JOIN place ON winter_min = minutes
     WHERE minutes % 60 <> 0 GROUP BY minutes ORDER BY minutes"

  ask "The $top countries with the widest day" "
    SELECT country, count(*) AS zones, printf('%.4g h', (max(winter_min) - min(winter_min)) / 60.0) AS span
      FROM place GROUP BY code HAVING count(*) > 1
     ORDER BY max(winter_min) - min(winter_min) DESC, zones DESC, country LIMIT $top"

  ask "South of the equator the clocks change the other way" "
    SELECT count(DISTINCT zone) AS zones, group_concat(DISTINCT country) AS countries
      FROM place WHERE winter_min > summer_min"
} | tee "$report"
echo "report=$report" >"$SLUICE_OUT"
