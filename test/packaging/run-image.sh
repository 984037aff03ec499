#!/bin/sh
# Runs a program in the root file system of an image as a container engine does with --read-only, its own user and no
# capabilities: for image.test.ts, in a mount namespace (unshare --mount).
# usage: run-image.sh ROOT USER:GROUP COMMAND...
set -eu
root=$1
user=$2
shift 2
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount -o remount,ro,bind "$root"
exec chroot --userspec="$user" "$root" "$@"
