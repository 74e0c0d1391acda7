#!/usr/bin/env bash
# Makes the virtual environment; where Debian has no venv module yet and we are root, installs it and says so.
set -euo pipefail
venv="$1"
[ -x "$venv/bin/python" ] && exit 0
python=$(command -v python3.11 || command -v python3)
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "strandline: $python is older than Python 3.11. Install python3.11, then run make again." >&2
  exit 2
fi
if ! "$python" -m venv "$venv" 2>/dev/null; then
  rm -rf "$venv"
  if [ "$(id -u)" != 0 ]; then
    echo "strandline: Python has no venv module here. Run: apt-get install python3-venv, then make again." >&2
    exit 2
  fi
  echo "Installing Debian package python3-venv"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
  "$python" -m venv "$venv"
fi
