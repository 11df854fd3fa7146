#!/bin/sh
# Extracts zone, continent and the codes of its countries. In: zoneinfo, dir.
# Out, as JSON: file, rows, pairs (of zone and country), continents.
set -eu
file=$dir/zones.tsv
awk -F '\t' -v OFS='\t' '!/^#/ { split($3, part, "/"); print $3, part[1], $1 }' \
  "$zoneinfo/zone1970.tab" >"$file"
awk -F '\t' -v file="$file" '
  { pairs += split($3, code, ",") }
  !seen[$2]++ { list = list (list == "" ? "" : ",") "\"" $2 "\"" }
  END {
    printf "{\"file\": \"%s\", \"rows\": %d, \"pairs\": %d, \"continents\": [%s]}\n", \
      file, NR, pairs, list
  }' "$file" >"$SLUICE_OUT"
