# What ./quickstart and ./test share: steps with a log, and the packages they need. Sourced by bash.

# say TEXT: a line for the reader.
say() { printf '%s\n' "$*"; }

# step NAME COMMAND…: runs the command quietly, its output to $log; tells name and seconds. Ends the script when it fails.
step() {
  local name=$1 begin=$EPOCHREALTIME
  shift
  [ -t 1 ] && printf '  %s …' "$name"
  printf '\n=== %s: %s\n' "$name" "$*" >>"$log"
  if "$@" >>"$log" 2>&1; then
    [ -t 1 ] && printf '\r\033[K'
    printf '  %-44s %7s s\n' "$name" "$(seconds_since "$begin")"
  else
    [ -t 1 ] && printf '\r\033[K'
    printf '  %-44s failed\n' "$name"
    fail "$name failed; the end of $log:" "$(tail -n 15 "$log")"
  fi
}

seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

# fail LINE…: why it ends, on standard error.
fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  shift
  [ $# -eq 0 ] || printf '%s\n' "$@" >&2
  exit 1
}

# packages build|tests: the names in .ci/packages, with those of the tests when asked.
packages() {
  awk -v all="$1" '/^#/ || NF == 0 { next } $1 == "tests:" { if (all != "tests") exit; next } { print $1 }' \
    "$root/.ci/packages"
}

# install_packages NAME…: apt installs those that are missing, and says which.
install_packages() {
  local missing=() name
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "  installing: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing, and only root may install them:" \
      "apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  step "apt-get update" "${as_root[@]}" apt-get update -q
  step "apt-get install" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}"
}
