#!/bin/sh
# The offset from UTC of each zone at noon (UTC) of one day. In: zones, zoneinfo, day, file.
# Out: file, rows.
set -eu
while IFS='	' read -r zone _; do
  printf '%s\t%s\n' "$zone" "$(TZ=":$zoneinfo/$zone" date -d "$day 12:00:00Z" +%z)"
done <"$zones" >"$file"
echo "$(cut -f 2 "$file" | sort -u | wc -l) different offsets on $day"
printf 'file=%s\nrows=%s\n' "$file" "$(wc -l <"$file")" >"$SLUICE_OUT"
