# Sourced by run.sh and test.sh: installs what is missing, configures, builds. Safe to run again.
#
# LIBTORCH=/path               use this libtorch instead of the wheel
# QUANTSPOT_TORCH_INDEX=URL    take the wheel from this index (a CPU build is much smaller)
# QUANTSPOT_PRESET=NAME        CMake preset, release by default
# QUANTSPOT_JOBS=N             parallel compilations, all cores by default
# QUANTSPOT_YES=1              install Debian packages without asking

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${QUANTSPOT_PRESET:-release}
build=$root/build/$preset
torch_version=2.13.0

say() { printf 'quantspot: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Prints the packages of the given lists that dpkg does not have installed.
missing_packages() {
  cat "$@" | sed 's/#.*//' | while read -r package; do
    [ -z "$package" ] && continue
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' && continue
    # virtual packages (libgl-dev, g++ of a cross set) count as installed when something provides them
    dpkg-query -W -f '${Status}\t${Provides}\n' 2>/dev/null | grep '^install ok installed' | cut -f2 | tr ',' '\n' \
      | sed 's/ *(.*//; s/^ *//' | grep -qx "$package" && continue
    echo "$package"
  done
}

# Asks before it uses sudo; as root, or with QUANTSPOT_YES=1 or CI=true, it only says what it does.
install_packages() {
  local wanted
  wanted=$(missing_packages "$@" | tr '\n' ' ')
  [ -z "${wanted// }" ] && return 0
  command -v apt-get >/dev/null || die "this system has no apt-get; install by hand: $wanted"
  local sudo=
  if [ "$(id -u)" != 0 ]; then
    sudo=sudo
    if [ -z "${QUANTSPOT_YES:-}" ] && [ "${CI:-}" != true ]; then
      [ -t 0 ] || die "Debian packages are missing: $wanted- run: sudo apt-get install $wanted"
      printf 'quantspot: these Debian packages are missing:\n  %s\nInstall them with sudo? [Y/n] ' "$wanted" >&2
      read -r answer
      case "$answer" in ''|[Yy]*) ;; *) die "nothing was installed; run: sudo apt-get install $wanted" ;; esac
    fi
  fi
  say "installing Debian packages: $wanted"
  $sudo apt-get update -qq || die "apt-get update failed; check the network and the package sources"
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >&2 \
    || die "apt-get could not install: $wanted"
}

# Sets LIBTORCH to a folder with include/ and lib/: the given one, or the pinned wheel in build/venv.
provide_libtorch() {
  if [ -n "${LIBTORCH:-}" ]; then
    [ -e "$LIBTORCH/lib/libtorch_cpu.so" ] || die "LIBTORCH=$LIBTORCH holds no lib/libtorch_cpu.so"
    return
  fi
  local venv=$root/build/venv
  if [ ! -e "$venv/torch-$torch_version" ]; then
    say "installing the wheel torch==$torch_version in $venv"
    python3 -m venv "$venv" || die "python3 could not make a virtual environment in $venv"
    "$venv/bin/pip" install -q --disable-pip-version-check ${QUANTSPOT_TORCH_INDEX:+--index-url "$QUANTSPOT_TORCH_INDEX"} \
      "torch==$torch_version" >&2 || die "pip could not install torch==$torch_version; check the network or set LIBTORCH"
    touch "$venv/torch-$torch_version"
  fi
  LIBTORCH=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"] + "/torch")')
  [ -e "$LIBTORCH/lib/libtorch_cpu.so" ] || die "the wheel in $venv is broken; delete that folder and run this again"
}

build_programs() {
  cd "$root" || exit 1
  cmake --preset "$preset" -DLIBTORCH="$LIBTORCH" "$@" >"$root/build/configure-$preset.log" 2>&1 \
    || { tail -n 20 "$root/build/configure-$preset.log" >&2; die "configuring failed, see build/configure-$preset.log"; }
  say "building in build/$preset (the first time takes several minutes)"
  cmake --build "$build" ${QUANTSPOT_JOBS:+-j "$QUANTSPOT_JOBS"} >&2 || die "the build failed"
}
