# shellcheck shell=bash disable=SC2034 # used by the scripts that source this one
# Shared by the scripts of this folder: messages, root, long steps with progress, clean-up on signals.
#
#   set -euo pipefail
#   . "$(dirname "$(readlink -f "$0")")/lib.sh"
#
# Exit codes of all scripts: 0 done, 1 something failed, 2 wrong usage, 3 this host is not supported,
# 4 needs root and cannot get it, 129/130/143 ended by HUP/INT/TERM.
#
# Long commands run in the background and are waited for, because bash only handles a signal when
# the command in the foreground has ended: a TERM in the middle of a build must act at once.

NZ_EXIT_FAILED=1 NZ_EXIT_USAGE=2 NZ_EXIT_HOST=3 NZ_EXIT_ROOT=4
NZ_ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
NZ_LOGS=$NZ_ROOT/build/log
NZ_JOBS=$(nproc 2>/dev/null || echo 2)
readonly NZ_EXIT_FAILED NZ_EXIT_USAGE NZ_EXIT_HOST NZ_EXIT_ROOT NZ_ROOT NZ_LOGS NZ_JOBS

# --- messages --------------------------------------------------------------------------------------

# Colours only where a person reads them (https://no-color.org).
if [[ -t 1 && -t 2 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  NZ_BOLD=$'\e[1m' NZ_RED=$'\e[31m' NZ_GREEN=$'\e[32m' NZ_YELLOW=$'\e[33m' NZ_DIM=$'\e[2m'
  NZ_PLAIN=$'\e[0m'
else
  NZ_BOLD='' NZ_RED='' NZ_GREEN='' NZ_YELLOW='' NZ_DIM='' NZ_PLAIN=''
fi

say() { printf '%s\n' "$*"; }
heading() { printf '%s%s%s\n' "$NZ_BOLD" "$*" "$NZ_PLAIN"; }
warn() { printf '%swarning:%s %s\n' "$NZ_YELLOW" "$NZ_PLAIN" "$*" >&2; }

# die CODE MESSAGE: what went wrong and what to do about it.
die() {
  local code=$1
  shift
  printf '%serror:%s %s\n' "$NZ_RED" "$NZ_PLAIN" "$*" >&2
  exit "$code"
}

# usage_of FILE: the comment at the head of a script is its help.
usage_of() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$1"; }

# --- clean-up --------------------------------------------------------------------------------------

NZ_CLEANUPS=()
NZ_CHILDREN=() # process ids started by this script; a negative one stands for a process group

# at_exit 'command': run at the end, however it comes, the last registered first.
at_exit() { NZ_CLEANUPS+=("$1"); }

# Is anything of this process, or of this group when negative, still there?
alive() { kill -0 -- "$1" 2>/dev/null; }

# stop_process PID [SECONDS]: TERM, wait, and KILL only for what does not listen.
stop_process() {
  local pid=$1 grace=${2:-10} i
  alive "$pid" || return 0
  kill -TERM -- "$pid" 2>/dev/null || true
  for ((i = 0; i < grace * 20; i++)); do
    alive "$pid" || break
    sleep 0.05
  done
  if alive "$pid"; then
    warn "process ${pid#-} did not end within $grace s after TERM; sending KILL"
    kill -KILL -- "$pid" 2>/dev/null || true
  fi
  wait "${pid#-}" 2>/dev/null || true
}

forget_child() {
  local kept=() child
  for child in "${NZ_CHILDREN[@]}"; do
    [[ $child == "$1" ]] || kept+=("$child")
  done
  NZ_CHILDREN=("${kept[@]}")
}

nz_clean_up() {
  local status=$? i
  trap - EXIT
  trap '' INT TERM HUP # a second Ctrl-C must not interrupt the clean-up
  set +e
  for ((i = ${#NZ_CHILDREN[@]} - 1; i >= 0; i--)); do stop_process "${NZ_CHILDREN[i]}"; done
  for ((i = ${#NZ_CLEANUPS[@]} - 1; i >= 0; i--)); do eval "${NZ_CLEANUPS[i]}"; done
  exit "$status"
}
trap nz_clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# run_child COMMAND...: another script of this folder, in the same terminal; a signal reaches it.
run_child() {
  local pid status=0
  "$@" &
  pid=$!
  NZ_CHILDREN+=("$pid")
  wait "$pid" || status=$?
  forget_child "$pid"
  return "$status"
}

# --- root ------------------------------------------------------------------------------------------

# elevate "$@": goes on as root; restarts the script through sudo when it is not.
elevate() {
  ((EUID == 0)) && return 0
  local self
  self=$(readlink -f "$0")
  command -v sudo >/dev/null ||
    die "$NZ_EXIT_ROOT" "$(basename "$0") needs root (it loads BPF programs or installs packages) and sudo is not installed." \
      "Run it from a root shell: su -c '$self${*:+ $*}'"
  if ! sudo -n true 2>/dev/null; then
    [[ -t 0 ]] ||
      die "$NZ_EXIT_ROOT" "$(basename "$0") needs root, sudo asks for a password and there is no terminal to type it on." \
        "Run it as root: sudo $self${*:+ $*}"
    say "$(basename "$0") needs root; sudo may ask for your password."
  fi
  exec sudo -E -- "$self" "$@"
}

# Under sudo, what belongs to the checkout is written as its owner, or the next build without sudo
# fails on files of root.
nz_owner() {
  local uid
  uid=$(stat -c %u "$NZ_ROOT")
  if ((EUID == 0)) && [[ $uid != 0 && ${SUDO_UID:-} == "$uid" ]]; then
    say "$uid:$(stat -c %g "$NZ_ROOT")"
  fi
}

# as_owner COMMAND...: as the owner of the checkout when sudo brought us here, else as we are.
as_owner() {
  local owner
  owner=$(nz_owner)
  if [[ -n $owner ]]; then
    setpriv --reuid="${owner%:*}" --regid="${owner#*:}" --init-groups -- "$@"
  else
    "$@"
  fi
}

# make_dir PATH...: mkdir -p, owned by the owner of the checkout.
make_dir() { as_owner mkdir -p -- "$@"; }

# --- long steps ------------------------------------------------------------------------------------

nz_last_line() {
  # Progress bars overwrite their line with \r: take what is behind the last one.
  tail -c 2000 -- "$1" 2>/dev/null | tr '\r' '\n' | tr -cd '[:print:]\n' | grep -v '^[[:space:]]*$' | tail -n 1 || true
}

nz_tick() { # TEXT SECONDS LOG FRAME
  local frames="|/-\\" columns line
  columns=$(tput cols 2>/dev/null || echo 80)
  line="${frames:$(($4 % 4)):1} $1 ($2 s)  $(nz_last_line "$3")"
  printf '\r%s\e[K' "${line:0:$((columns - 1))}"
}

# step TEXT COMMAND...: runs a long command and shows that it is alive: on a terminal one line with
# the seconds and the last line of output, elsewhere a line every 15 seconds. All its output goes to
# build/log/TEXT-AS-NAME.log; of a failure the end is shown. Returns the command's exit code.
# NZ_STEP_TIMEOUT=SECONDS ends the command; then 124 is returned, as timeout(1) does.
step() {
  local text=$1 name log pid status=0 frame=0 begin=$SECONDS next=15 elapsed reason=''
  local limit=${NZ_STEP_TIMEOUT:-0} tail_lines=${NZ_STEP_TAIL:-40}
  shift
  name=$(tr -cs 'A-Za-z0-9._\n' '-' <<<"$text")
  name=${name,,}
  make_dir "$NZ_LOGS"
  log=$NZ_LOGS/${name%-}.log
  rm -f -- "$log"
  as_owner touch -- "$log"
  [[ -t 1 ]] || say "$text ..."

  # Job control gives the command a process group of its own, so that all of it can be stopped.
  set -m
  ("$@") </dev/null >"$log" 2>&1 &
  pid=$!
  set +m
  NZ_CHILDREN+=("-$pid")
  while alive "$pid"; do
    elapsed=$((SECONDS - begin))
    if ((limit > 0 && elapsed >= limit)); then
      stop_process "-$pid" 15
      reason=" after its time limit of $limit s"
      break
    fi
    if [[ -t 1 ]]; then
      nz_tick "$text" "$elapsed" "$log" "$frame"
    elif ((elapsed >= next)); then
      say "… still ${text,} ($elapsed s): $(nz_last_line "$log")"
      next=$((next + 15))
    fi
    # Short commands are not held up by the first sleeps.
    if ((frame++ < 20)); then sleep 0.05; else sleep 0.25; fi
  done
  wait "$pid" || status=$?
  [[ -z $reason ]] || status=124
  forget_child "-$pid"

  [[ ! -t 1 ]] || printf '\r\e[K'
  elapsed=$((SECONDS - begin))
  if ((status == 0)); then
    say "${NZ_GREEN}done${NZ_PLAIN}: $text ($elapsed s)"
  else
    say "${NZ_RED}failed${NZ_PLAIN}: $text$reason (exit code $status, $elapsed s)"
    if ((tail_lines > 0)); then
      say "${NZ_DIM}--- last $tail_lines lines of $log${NZ_PLAIN}"
      tail -n "$tail_lines" -- "$log"
      say "${NZ_DIM}--- all of it: $log${NZ_PLAIN}"
    fi
  fi
  return "$status"
}

# --- build -----------------------------------------------------------------------------------------

# configure PRESET [OPTION...]
configure() {
  local preset=$1 launcher=()
  shift
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  step "Configuring $preset" as_owner cmake -S "$NZ_ROOT" -B "$NZ_ROOT/build/$preset" --preset "$preset" "${launcher[@]}" "$@"
}

# build PRESET [TARGET...]: all targets when none is named.
build() {
  local preset=$1
  shift
  step "Building ${*:-everything} ($preset)" as_owner cmake --build "$NZ_ROOT/build/$preset" --parallel "$NZ_JOBS" ${1:+--target "$@"}
}
