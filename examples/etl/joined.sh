#!/bin/sh
# Joins to one row per zone and country: code, country, zone, continent, minutes east of UTC in
# winter and in summer. In: countries, zones, winter, summer, dir. Out: file, rows, unknown (codes
# that are no country), unzoned (countries without a zone).
set -eu
file=$dir/joined.tsv
awk -F '\t' -v OFS='\t' -v unzoned_file="$dir/unzoned.tsv" -v out="$SLUICE_OUT" -v file="$file" '
  function minutes(offset) {
    return (substr(offset, 1, 1) == "-" ? -1 : 1) * (substr(offset, 2, 2) * 60 + substr(offset, 4, 2))
  }
  FNR == 1 { table++ }
  table == 1 { name[$1] = $2; next }
  table == 2 { winter[$1] = minutes($2); next }
  table == 3 { summer[$1] = minutes($2); next }
  {
    count = split($3, code, ",")
    for (i = 1; i <= count; i++) {
      if (!(code[i] in name)) { unknown++; print "unknown country " code[i] > "/dev/stderr"; continue }
      used[code[i]] = 1
      rows++
      print code[i], name[code[i]], $1, $2, winter[$1], summer[$1]
    }
  }
  END {
    printf "" > unzoned_file
    for (c in name) if (!(c in used)) { unzoned++; print c, name[c] > unzoned_file }
    printf "file=%s\nrows=%d\nunknown=%d\nunzoned=%d\n", file, rows, unknown, unzoned > out
  }' "$countries" "$winter" "$summer" "$zones" >"$file"
sort -o "$dir/unzoned.tsv" "$dir/unzoned.tsv"
