#!/usr/bin/env bash
# Coverage-guided fuzzing with Jazzer; ./dev fuzz has the modules compiled before.
# usage: tools/fuzz.sh [TARGET] [--seconds N] [--seed N] [FILE]
# With a seed the search starts from the kept inputs alone, not from what earlier ones found.
set -euo pipefail
declare -A CLASS=(
  [driver]=fuzz.DriverTarget
  [controller]=fuzz.ControllerTarget
  [fabric-file]=fuzz.FabricFileTarget
  [names]=fuzz.NamesTarget
  [capture]=fuzz.CaptureTarget
  [vfio-user]=fuzz.VfioUserTarget
  [ioctl]=vfio.IoctlTarget
  [qtest]=qtest.QtestTarget
  [state]=binding.StateTarget
  [arguments]=fuzz.ArgumentsTarget
)
declare -A LONGEST=([capture]=65536) # bytes of an input, where not 4096
ORDER=(driver controller fabric-file names capture vfio-user ioctl qtest state arguments)

seconds=60
seed=0
target=''
file=''
while [ $# -gt 0 ]; do
  case $1 in
    --seconds)
      seconds=${2:?--seconds wants a number}
      shift
      ;;
    --seed)
      seed=${2:?--seed wants a number}
      shift
      ;;
    *)
      if [ -z "$target" ]; then target=$1; else file=$1; fi
      ;;
  esac
  shift
done
if [ -n "$target" ] && [ -z "${CLASS[$target]:-}" ]; then
  echo "No target $target; there are: ${ORDER[*]}" >&2
  exit 1
fi

folder=$PWD/fuzz/target/fuzz
run() { # TARGET ARGUMENT...
  local name=$1
  shift
  "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -XX:+EnableDynamicAgentLoading -XX:+UseSerialGC -Xmx1500m \
    -cp "fuzz/target/test-classes:$(cat fuzz/target/test.classpath)" \
    com.code_intelligence.jazzer.Jazzer --target_class="dev.peerlane.${CLASS[$name]}" \
    --instrumentation_includes='dev.peerlane.**' --custom_hook_includes='dev.peerlane.**' --disabled_hooks='com.code_intelligence.jazzer.sanitizers.**' \
    --reproducer_path="$folder" "$@"
}

if [ -n "$file" ]; then # replays one input
  run "$target" "$(readlink -f "$file")"
  exit
fi

for name in ${target:-"${ORDER[@]}"}; do
  found=$folder/$name
  [ "$seed" = 0 ] || found=$folder/$name-seed-$seed
  [ "$seed" = 0 ] || rm -rf "$found"
  mkdir -p "$found"
  log=$folder/$name.log
  dictionary=fuzz/src/test/resources/$name.dict
  flags=(-seed="$seed" -max_total_time="$seconds" -max_len="${LONGEST[$name]:-4096}" -timeout=30 -rss_limit_mb=4000 -print_final_stats=1 -artifact_prefix="$folder/$name-")
  [ -f "$dictionary" ] && flags+=(-dict="$dictionary")
  if ! run "$name" "${flags[@]}" "$found" "$PWD/fuzz/src/test/resources/corpus/$name" >"$log" 2>&1; then
    grep -A 25 -m 1 -E '^== |ERROR: libFuzzer' "$log" >&2 || tail -n 30 "$log" >&2
    bad=$(grep -o 'Test unit written to .*' "$log" | head -n 1 | sed 's/Test unit written to //')
    echo "$name failed. Replay: ./dev fuzz $name ${bad:-(see $log)}" >&2
    exit 1
  fi
  echo "$name: $(grep -o 'stat::number_of_executed_units: *[0-9]*' "$log" | grep -o '[0-9]*$') runs, $(grep -oE 'cov: [0-9]+' "$log" | tail -n 1), $(ls "$found" | wc -l) inputs kept, seed $(grep -oE 'INFO: Seed: [0-9]+' "$log" | grep -oE '[0-9]+$')"
done
