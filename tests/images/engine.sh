#!/bin/sh
# A container engine in namespaces of its own, from a folder with a Debian root: nothing of it is seen outside of them,
# and it ends, with every container, when the first process ends.
#
#   unshare --mount --propagation private sh engine.sh serve ROOT CHECKOUT
#
# ROOT/engine.pid names a process whose namespaces `nsenter` enters. The checkout lies at its own path inside.
set -eu
mode=$1 root=$2 checkout=$3

serve() {
    mount --bind "$root" "$root"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    rm -f "$root/engine.pid"
    unshare --mount --net --ipc --uts --pid --fork --kill-child sh "$0" inside "$root" "$checkout" &
    child=$!
    way_out=$child
    trap 'kill -KILL $child $way_out 2> /dev/null || true' EXIT
    trap 'exit 0' TERM INT
    # unshare forks a helper first; the process that is wanted has become this script's shell.
    until inside=$(tr -d ' ' < "/proc/$child/task/$child/children") && [ "$(cat "/proc/$inside/comm" 2> /dev/null)" = sh ]; do
        kill -0 "$child"
        sleep 0.1
    done
    echo "$inside" > "$root/engine.pid"
    # The way out, through this machine's own sockets: no route, address or rule of the machine changes.
    chroot "$root" slirp4netns --configure --mtu=65520 --disable-host-loopback "$inside" tap0 &
    way_out=$!
    wait "$child"
}

inside() {
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
    mount -t tmpfs tmpfs "$root/run"
    mount -t tmpfs tmpfs "$root/tmp"
    mkdir -p "$root$checkout" "$root/before"
    mount --bind "$checkout" "$root$checkout"
    cd "$root"
    pivot_root . before
    umount -l /before
    echo "nameserver 10.0.2.3" > /etc/resolv.conf
    ip link set lo up
    until ip route | grep -q ^default; do sleep 0.1; done
    docker-registry serve /etc/castor-registry.yml > /var/log/registry.log 2>&1 &
    exec dockerd --host unix:///run/docker.sock > /var/log/dockerd.log 2>&1
}

"$mode"
