#!/usr/bin/env bash
# Installs what the tests drive (a browser, a PostgreSQL server, an MQTT broker, network namespaces, a C compiler) when root; otherwise says which tests will be skipped.
set -euo pipefail
wanted=()
command -v chromium >/dev/null || wanted+=(chromium)
PATH="$PATH:/usr/sbin" command -v mosquitto >/dev/null || wanted+=(mosquitto)
PATH="$PATH:/usr/sbin:/sbin" command -v ip >/dev/null || wanted+=(iproute2)
command -v cc >/dev/null || wanted+=(gcc libc6-dev)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || wanted+=(postgresql)
[ ${#wanted[@]} -eq 0 ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "Not installed here: ${wanted[*]}. Their tests are skipped. To run them: apt-get install ${wanted[*]}"
  exit 0
fi
echo "Installing Debian packages for the tests: ${wanted[*]}"
apt-get update -qq
# the cluster that Debian would start is not ours: tests start their own
mkdir -p /etc/postgresql-common && [ -e /etc/postgresql-common/createcluster.conf ] || \
  echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
