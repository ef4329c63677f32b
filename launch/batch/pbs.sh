#!/bin/bash
# One layerbudget command as a PBS job (OpenPBS, PBS Professional), its ranks started by mpirun.
#
#   qsub -v COMMAND="score --statistics /shared/stats -o /shared/scores.json" launch/batch/pbs.sh
#
# Edit these lines, or say them to qsub: its options win over the lines here.
#PBS -N layerbudget
#PBS -l select=2:ncpus=32:mpiprocs=4:ompthreads=8
#PBS -l walltime=08:00:00
#PBS -j oe
#PBS -r y
threads=${OMP_NUM_THREADS:-8} # PBS sets it to ompthreads
time_limit=7h50m              # less than walltime: the ranks then stop after their present unit
home=${LAYERBUDGET_HOME:-${PBS_O_WORKDIR:-.}} # this checkout, on a disk that all nodes see
options=()                    # for launch/run: --network 10.0.0.0/24
# module load openmpi         # what your site needs

set -euo pipefail
[ -n "${COMMAND:-}" ] || { echo "no command: qsub -v COMMAND=\"score …\" $0" >&2; exit 64; }
cd "${PBS_O_WORKDIR:-.}"

# One line per rank in PBS's file; Debian's Open MPI is built without PBS and needs a hostfile of
# cores. It reaches the nodes by ssh.
hosts=$(mktemp "${TMPDIR:-/tmp}/layerbudget-pbs.XXXXXX")
trap 'rm -f "$hosts"' EXIT
sort "$PBS_NODEFILE" | uniq -c | awk -v t="$threads" '{print $2 " slots=" $1 * t}' >"$hosts"

# COMMAND is split at blanks: no paths with blanks here.
read -r -a command <<<"$COMMAND"
"$home/launch/run" --hostfile "$hosts" --threads "$threads" --time-limit "$time_limit" \
  ${options[@]+"${options[@]}"} -- "${command[@]}" &
running=$!
# qdel and the walltime send SIGTERM; launch/run then lets the ranks save first.
trap 'kill -TERM "$running"' TERM
status=0
while :; do
  status=0
  wait "$running" || status=$?
  kill -0 "$running" 2>/dev/null || break
done
if [ "$status" -eq 75 ]; then
  echo "stopped at the limit, the finished units are kept: submit the same job again to go on"
fi
exit "$status"
