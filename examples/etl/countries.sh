#!/bin/sh
# Extracts code and name of each country. In: zoneinfo, dir. Out: file, rows.
set -eu
file=$dir/countries.tsv
grep -v '^#' "$zoneinfo/iso3166.tab" >"$file"
printf 'file=%s\nrows=%s\n' "$file" "$(wc -l <"$file")" >"$SLUICE_OUT"
