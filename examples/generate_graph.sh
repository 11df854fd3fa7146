#!/bin/sh
# Prints a workflow of many small tasks in layers, each task after two of the layer before.
#
#   examples/generate_graph.sh [TASKS] [WIDTH] > /tmp/graph.yaml    # 1000 tasks, layers of 50
#   build/release/sluice run /tmp/graph.yaml
#
# ACTION is what each task does; by default a native no-op, which shows what the engine costs.
set -eu
exec awk -v tasks="${1:-1000}" -v width="${2:-50}" -v action="${ACTION:-call: noop}" '
  BEGIN {
    if (tasks !~ /^[1-9][0-9]*$/ || width !~ /^[1-9][0-9]*$/) {
      print "usage: generate_graph.sh [TASKS] [WIDTH]" > "/dev/stderr"
      exit 2
    }
    print "workflow: graph"
    printf "description: %d tasks in layers of %d\n", tasks, width
    print "tasks:"
    for (i = 0; i < tasks; i++) {
      layer = int(i / width)
      printf "  t%d: {%s", i, action
      if (layer > 0) {
        first = (layer - 1) * width
        left = first + i % width
        right = first + (i + 1) % width
        printf ", after: [t%d%s]", left, left == right ? "" : ", t" right
      }
      print "}"
    }
  }'
