#!/bin/bash
# What a GPU has to say about this project, within nine minutes: its rates, one
# recipe, tests, benchmarks. From the root of a clone, with `pip install -e
# '.[cuda,bench,test]'`:
#
#   experiments/benchmarks/gpu.sh [RESULTS]     (gpu_results.jsonl)
#
# Every stage has a limit in seconds and ends by itself; what earlier ones have
# written stays. RESULTS gets a line for each stage and each line of results:
#
#   python -m experiments.benchmarks.bench --add=RESULTS
#   python -m experiments.benchmarks.rates --add=RESULTS
#
# put them into README.md. By the environment:
#   SHRINK=1       thin networks and few steps: a try on a CPU
#   TOTAL=540      seconds for all of it
#   RATES, RECIPE, TESTS, CASE     limits of a stage, CASE of each benchmark
#   CASES          which benchmarks, by blanks, the most important first
#   CONFIG, FILES  the recipe, and the tests
#   PYTHON         the interpreter

set -u
cd "$(dirname "$0")/../.." || exit 1
out=$(realpath "${1:-gpu_results.jsonl}")
python=${PYTHON:-python}
total=${TOTAL:-540}
if [ -n "${SHRINK:-}" ]; then
  cases=${CASES:-ring8 chargan}
  config=${CONFIG:-configs/digits.py:tiny}
  files=${FILES:-tests/components/test_losses.py}
  bench='--shrink --rounds=1 --seconds=.05 --nocompiled'
  rates='--side=128'
  steps=8
else
  cases=${CASES:-dcgan64 sngan32 r3gan32 dcgan32 stylegan2_64 wgan_gp32 ring8 \
    biggan32 digits wavegan chargan}
  config=${CONFIG:-configs/digits.py}
  files=${FILES:-tests/components/test_losses.py tests/components/test_layers.py \
    tests/components/test_penalties.py tests/test_benchmarks.py}
  bench='--rounds=3 --seconds=.5 --nocompiled'
  rates=
  steps=2000
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The last characters of a file as a string of JSON.
quoted() {
  tail -c 1500 "$1" | tr -d '\000-\011\013-\037' |
    sed 's/\\/\\\\/g; s/"/\\"/g' | awk '{printf "%s\\n", $0}'
}

# stage NAME LIMIT COMMAND...: runs it within its limit and what is left of all.
stage() {
  local name=$1 limit=$2 begin=$SECONDS rc log=$work/log
  shift 2
  local left=$((total - SECONDS))
  [ "$limit" -lt "$left" ] || limit=$left
  if [ "$limit" -lt 1 ]; then
    echo "$name: no time left"
    printf '{"case": "stage", "stage": "%s", "rc": null}\n' "$name" >> "$out"
    return
  fi
  echo "$name: at most $limit s"
  timeout -k 5 "$limit" "$@" > "$log" 2>&1
  rc=$?  # 124: it was stopped
  tail -n 4 "$log"
  printf '{"case": "stage", "stage": "%s", "rc": %d, "seconds": %d, ' \
    "$name" $rc $((SECONDS - begin)) >> "$out"
  printf '"limit": %d, "end": "%s"}\n' "$limit" "$(quoted "$log")" >> "$out"
}

stage machine 60 "$python" -c '
import platform, jax, jaxlib
print(platform.python_version(), jax.__version__, jaxlib.__version__)
print(jax.default_backend(), [d.device_kind for d in jax.devices()])
try:
  import torch
  print(torch.__version__, torch.version.cuda, torch.cuda.is_available())
except ImportError:
  print("no torch")
'
stage rates "${RATES:-45}" \
  "$python" -m experiments.benchmarks.rates --out="$out" $rates
stage recipe "${RECIPE:-90}" "$python" -m gan_jax.train --config="$config" \
  --config.steps=$steps --workdir="$work/run"
if [ -f "$work/run/scores.json" ]; then
  printf '{"case": "recipe", "config": "%s", "scores": %s}\n' "$config" \
    "$(tr -d '\n' < "$work/run/scores.json")" >> "$out"
fi
# In full precision, and with the compiler's usual options.
stage tests "${TESTS:-100}" env XLA_FLAGS="${XLA_FLAGS:-}" \
  JAX_DISABLE_MOST_OPTIMIZATIONS=0 JAX_DEFAULT_MATMUL_PRECISION=highest \
  "$python" -m pytest -q -p no:cacheprovider $files
for case in $cases; do
  stage "bench $case" "${CASE:-100}" \
    "$python" -m experiments.benchmarks.bench --only="$case" --out="$out" $bench
done
echo "$SECONDS s; results in $out"
