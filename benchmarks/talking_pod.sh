#!/bin/sh
# Stands in for a runner that reports often: ten lines a second, until the shared folder says that it is enough.
i=0
until [ -e "$ENDED_FOLDER/enough" ]; do
  i=$((i + 1))
  echo "{\"v\":1,\"event\":\"progress\",\"sim_time\":$i,\"running\":1234,\"waiting\":0}"
  sleep 0.1
done
