#!/bin/busybox sh
# The guest's first program: mounts what Linux offers, runs the steps of the test, says that it has
# come to the end, and powers off. What a test decides by goes to the second serial port, where no
# message of the kernel gets in between.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm /dev/hugepages /sbin
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
ln -s /bin/modprobe /sbin/modprobe
ulimit -l unlimited

classes=$(ls /guest/*.jar 2>/dev/null | tr '\n' ':')

say() { # a line for the test
  echo "$*" >/dev/ttyS1
}
passed() { # NAME DETAIL
  say "PEERLANE-TEST $1 PASS $2"
}
failed() {
  say "PEERLANE-TEST $1 FAIL $2"
}
tiers=-XX:TieredStopAtLevel=1 # short runs, and QEMU 7.2 crashes the others now and then
run_java() {
  /java/bin/java $tiers -XX:+UseSerialGC -Xshare:auto -Xmx256m \
    --enable-native-access=ALL-UNNAMED -cp "$classes" "$@"
}

. /guest/steps

say PEERLANE-END
sync
poweroff -f
