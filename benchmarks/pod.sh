#!/bin/sh
# Stands in for the runner where only the control plane is measured: notes when it ended and succeeds.
printf '{"v":1,"outcome":"succeeded","complete":true,"uploaded":true,"errors":[],"kpis":{},"files":1}' \
  > "$TERMINATION_MESSAGE_PATH"
date +%s.%N > "$ENDED_FOLDER/$JOB_ID"
