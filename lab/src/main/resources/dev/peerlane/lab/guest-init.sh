#!/bin/busybox sh
# The guest's init program: mounts Linux's file systems, runs the steps of the test, writes the end
# mark, and powers off. Results go to the second serial port, where no kernel message is mixed in.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm /sbin /run /etc
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
deliver() { # NAME FILE: the file, for the test
  base64 "$2" | while read -r line; do say "PEERLANE-FILE $1 $line"; done
}
# maps each drive by serial number to its function and block device
for controller in /sys/class/nvme/*; do
  [ -e $controller ] || continue
  serial=$(tr -d ' ' <$controller/serial)
  echo $serial $(basename $(readlink $controller/device)) >>/tmp/functions
  for block in $controller/nvme*n1; do
    [ ! -e $block ] || basename $block | sed 's/c[0-9]*n/n/' >/tmp/block-$serial
  done
done
block() { # SERIAL: its block device
  echo /dev/$(cat /tmp/block-$1)
}
bind() { # SERIAL...: moves drives to vfio-pci
  modprobe vfio-pci
  for serial in "$@"; do
    function=$(sed -n "s/^$serial //p" /tmp/functions)
    echo vfio-pci >/sys/bus/pci/devices/$function/driver_override
    echo $function >/sys/bus/pci/devices/$function/driver/unbind
    echo $function >/sys/bus/pci/drivers_probe
  done
}
tiers=-XX:TieredStopAtLevel=1 # short runs, and QEMU 7.2 crashes the others now and then
modprobe vfio && modprobe vfio_iommu_type1 # busybox's modprobe does not know "softdep"

java="exec /java/bin/java -XX:+UseSerialGC -Xshare:auto -Xmx256m \
  --enable-native-access=ALL-UNNAMED"
run_java() {
  ($java $tiers -cp "$classes" "$@")
}
start_java() { # its process is $!
  ($java $tiers -cp "$classes" "$@") &
}
user_java() { # as an unprivileged user who may use /dev/vfio
  echo user:x:1000:1000::/tmp:/bin/sh >/etc/passwd
  echo user:x:1000: >/etc/group
  chmod 666 /dev/ttyS1 /dev/vfio/*
  chmod 1777 /tmp
  su user -c "$java $tiers -cp $classes $*"
}
await() { # FILE: for a minute at most
  for i in $(seq 600); do
    [ ! -e $1 ] || return 0
    usleep 100000
  done
  return 1
}

. /guest/steps

say PEERLANE-END
sync
poweroff -f
