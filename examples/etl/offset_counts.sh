#!/bin/sh
# Counts zones and countries per winter offset. In: joined, file. Out: file, rows, zones (sum),
# lowest and highest offset in minutes.
set -eu
awk -F '\t' -v OFS='\t' '
  !country[$5, $1]++ { countries[$5]++ }
  !zone[$3]++ { zones[$5]++ }
  END {
    for (o in zones) {
      size = o < 0 ? -o : o
      print o, sprintf("%s%02d:%02d", o < 0 ? "-" : "+", int(size / 60), size % 60), zones[o], countries[o]
    }
  }' "$joined" | sort -n >"$file"
awk -F '\t' -v file="$file" '
  NR == 1 { lowest = $1 }
  { zones += $3; highest = $1 }
  END {
    printf "file=%s\nrows=%d\nzones=%d\nlowest=%d\nhighest=%d\n", file, NR, zones, lowest, highest
  }' "$file" >"$SLUICE_OUT"
