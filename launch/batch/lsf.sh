#!/bin/bash
# One layerbudget command as an LSF job, its ranks started by mpirun.
#
#   export COMMAND="score --statistics /shared/stats -o /shared/scores.json"
#   bsub < launch/batch/lsf.sh
#
# Edit these lines, or say them to bsub: its options win over the lines here.
#BSUB -J layerbudget
#BSUB -n 64
#BSUB -R "span[ptile=32]"
#BSUB -W 8:00
#BSUB -o layerbudget.%J.out
# Warned five minutes before the limit; exit code 75 sends the job back to the queue.
#BSUB -wa USR1 -wt 5
#BSUB -r
#BSUB -Q "75"
threads=${LAYERBUDGET_THREADS:-8}             # cores of a rank; -n counts cores
home=${LAYERBUDGET_HOME:-${LS_SUBCWD:-.}}     # this checkout, on a disk that all nodes see
options=()                                    # for launch/run: --network 10.0.0.0/24
# module load openmpi                         # what your site needs

set -euo pipefail
[ -n "${COMMAND:-}" ] || { echo 'no command: export COMMAND="score …" before bsub' >&2; exit 64; }
cd "${LS_SUBCWD:-.}"

# One line per core in LSF's file.
hosts=$(mktemp "${TMPDIR:-/tmp}/layerbudget-lsf.XXXXXX")
trap 'rm -f "$hosts"' EXIT
sort "$LSB_DJOB_HOSTFILE" | uniq -c | awk '{print $2 " slots=" $1}' >"$hosts"

# COMMAND is split at blanks: no paths with blanks here.
read -r -a command <<<"$COMMAND"
"$home/launch/run" --hostfile "$hosts" --threads "$threads" \
  ${options[@]+"${options[@]}"} -- "${command[@]}" &
running=$!
trap 'kill -USR1 "$running"' USR1
trap 'kill -TERM "$running"' TERM
status=0
while :; do
  status=0
  wait "$running" || status=$?
  # A signal ends the wait, not the run.
  kill -0 "$running" 2>/dev/null || break
done
exit "$status"
