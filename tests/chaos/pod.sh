#!/bin/sh
# The "python" of the stand-in image: acts out the fate that the scenario's name spells, KIND-SECONDS, and enters its
# start and end in the ledger. A shell, because hundreds of them must be cheap.
kind=${SCENARIO_ID%%-*}
seconds=${SCENARIO_ID#*-}
attempt=${SUMOK8_JOB#*\"attempt\": }
attempt=${attempt%%[,\}]*}

note() { echo "$1 $(date +%s.%N) $JOB_ID $attempt $HOSTNAME $2" >> "$LEDGER"; }

say() { # outcome, uploaded
    printf '{"v":1,"outcome":"%s","complete":true,"uploaded":%s,"errors":[{"code":"x","where":"","message":"As fated."}],"kpis":{"teleports":0},"files":1}' \
        "$1" "$2" > "$TERMINATION_MESSAGE_PATH"
}

end() { # exit code
    trap '' TERM
    note ended "$1"
    exit "$1"
}

rest() {
    sleep "$seconds" &
    wait $!
}

interrupted() {
    trap '' TERM
    say interrupted false
    end 75
}

trap interrupted TERM
note started $$
echo "fate $kind, attempt $attempt"

case $kind in
succeed) rest; say succeeded true; end 0 ;;
invalid_job) rest; say invalid_job true; end 64 ;;
invalid_scenario) rest; say invalid_scenario true; end 65 ;;
sumo_failed) rest; say sumo_failed true; end 66 ;;
time_limit) rest; say time_limit true; end 67 ;;
too_many_teleports) rest; say too_many_teleports true; end 68 ;;
output_limit) rest; say output_limit true; end 69 ;;
sumo_crashed) rest; say sumo_crashed true; end 70 ;;
out_of_memory) rest; say out_of_memory true; end 71 ;;
internal) rest; say internal false; end 72 ;;
unreachable) rest; say unreachable false; end 73 ;;
io_failed) rest; say io_failed false; end 74 ;;
interrupted) rest; say interrupted false; end 75 ;;
flaky)
    rest
    [ "$attempt" = 1 ] && interrupted
    say succeeded true; end 0 ;;
deaf)
    trap '' TERM
    rest; say succeeded true; end 0 ;;
mute) rest; end 0 ;;
mutefailure) rest; end 66 ;;
garbled) rest; printf '{"v":1,"outcome":"succ' > "$TERMINATION_MESSAGE_PATH"; end 0 ;;
nofigures) # what no runner writes, but the outcome is told: infinite, not a number, NUL and half a letter
    rest
    case $seconds in
    0) value=NaN ;;
    0.3) value=-1e999 ;;
    *) value='"\\u0000\\ud800"' ;;
    esac
    printf '{"v":1,"outcome":"succeeded","complete":true,"uploaded":true,"errors":[],"kpis":{"teleports":%s},"files":1}' \
        "$value" > "$TERMINATION_MESSAGE_PATH"
    end 0 ;;
deep) rest; printf '%01000d' 0 | tr 0 '[' > "$TERMINATION_MESSAGE_PATH"; end 0 ;;
notstored) rest; say succeeded false; end 0 ;;
killed) rest; kill -9 $$ ;;
memory) head -c 1300m /dev/zero | tail > /dev/null; end 0 ;;
forever) seconds=10000; rest ;;
esac
