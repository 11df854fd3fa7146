#!/bin/sh
# Counts per continent: zones, countries, zones that change their clocks. In: joined, file.
# Out: file, rows, zones (sum).
set -eu
awk -F '\t' -v OFS='\t' '
  !country[$4, $1]++ { countries[$4]++ }
  !zone[$3]++ { zones[$4]++; if ($5 != $6) shifting[$4]++ }
  END { for (c in zones) print c, zones[c], countries[c], shifting[c] + 0 }' "$joined" \
  | sort >"$file"
awk -F '\t' -v file="$file" '
  { zones += $2 } END { printf "file=%s\nrows=%d\nzones=%d\n", file, NR, zones }' "$file" >"$SLUICE_OUT"
