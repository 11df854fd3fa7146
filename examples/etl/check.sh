#!/bin/sh
# What has to hold between the tables. In: see the workflow. Out: checks (how many were made).
# Exits with 1 after naming each one that does not hold.
set -eu
checks=0
broken=0
holds() { # SENTENCE VALUE OPERATOR VALUE
  checks=$((checks + 1))
  if [ "$2" "$3" "$4" ]; then
    echo "ok      $1 ($2)"
  else
    echo "BROKEN  $1: $2, not $4"
    broken=$((broken + 1))
  fi
}
holds "there are zones" "$zones" -gt 0
holds "each zone has an offset on both days" "$same_zones" = true
holds "no pair of zone and country is lost in the join" "$missing_pairs" -eq 0
holds "every code is a country" "$unknown" -eq 0
holds "every continent is counted" "$continents" -eq "$expected_continents"
holds "the continents' zones add up" "$zones_by_continent" -eq "$zones"
holds "the offsets' zones add up" "$zones_by_offset" -eq "$zones"
holds "offsets lie between -12:00 and +14:00" "$offsets_in_range" = true
echo "checks=$checks" >"$SLUICE_OUT"
[ "$broken" -eq 0 ]
