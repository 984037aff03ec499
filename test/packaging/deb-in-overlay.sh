#!/bin/sh
# Installs a Debian package, runs the router, purges it: for deb.test.ts, in a mount namespace (unshare --mount).
# Whatever is written goes to FOLDER, by overlays: this machine is not changed.
# usage: deb-in-overlay.sh FOLDER PACKAGE
set -eu
folder=$1
package=$2
mount -t tmpfs tmpfs "$folder"
for each in etc usr var run; do
    mkdir "$folder/$each" "$folder/$each.work"
    mount -t overlay overlay -o "lowerdir=/$each,upperdir=$folder/$each,workdir=$folder/$each.work" "/$each"
done
rm -f /etc/hipache.json
export HIPACHE_HTTP_PORT=0 HIPACHE_ADMIN_PORT=0 HIPACHE_DRIVER=file:/var/lib/hipache/routes.json HIPACHE_SERVER_WORKERS=1

# The manual's index is left alone, and nothing is flushed to the disk: that takes most of the time.
dpkg() { command dpkg --no-triggers --force-unsafe-io "$@"; }
say() { printf '## %s\n' "$*"; }

say install
# A unit of systemd is not started here, even if this machine has systemd.
mkdir -p /run/systemd && mv /run/systemd/system /run/systemd/hidden 2>/dev/null || true
dpkg --install "$package" >/dev/null
id -un hipache
command -v hipache
hipache --version
dpkg --verify hipache
man -w hipache.json 2>/dev/null || true

say dry
hipache --dry --quiet

say run
mkdir /var/lib/hipache
printf '{"www.x.com": ["site", "redirect://there.test/"]}' >/var/lib/hipache/routes.json
hipache 2>"$folder/log" &
router=$!
tries=0
until grep -q '"event":"ready"' "$folder/log"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ] || ! kill -0 "$router" 2>/dev/null; then
        cat "$folder/log"
        exit 1
    fi
    sleep 0.1
done
url=$(sed -n 's/.*"listening":\["\([^"]*\)".*/\1/p' "$folder/log")
node -e 'require("http").get(process.argv[1], {headers: {host: "www.x.com"}}, ({statusCode, headers}) =>
  console.log(statusCode, headers.location))' "$url"
ps -o user= --ppid "$router" | sort | uniq
kill -TERM "$router"
wait "$router"
cut -d' ' -f 1,6-8 /var/log/hipache/access.log

say again
printf '// mine\n{ "user": "hipache" }\n' >/etc/hipache.json
dpkg --install "$package" >/dev/null
head -n 1 /etc/hipache.json

say purge
dpkg --remove hipache >/dev/null
ls /etc/hipache.json
dpkg --purge hipache >/dev/null 2>&1
getent passwd hipache || echo no user

say left
cd "$folder"
find etc usr var run | grep hipache || true
