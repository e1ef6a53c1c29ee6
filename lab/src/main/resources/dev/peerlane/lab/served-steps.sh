# Tests drives that are served over vfio-user with Linux's nvme driver, ext4 and fio. Sourced by
# guest-init.sh. $SERIALS lists the drives. Programs in /tools are run by path, because busybox
# prefers its own mke2fs to any other.
SHOWN='nvme|EXT4|I/O error|BUG:|WARNING:|Oops'

complain() { # NAME WHAT: fails with the kernel messages that may explain it
  dmesg | grep -E "$SHOWN" | tail -n 25 | while read -r line; do say "dmesg: $line"; done
  failed "$1" "$2"
}
serial_to_controller() { # SERIAL: nvme0 or the like
  for each in /sys/class/nvme/*; do
    [ "$(tr -d ' ' <$each/serial 2>/dev/null)" != $1 ] || basename $each
  done
}
serial_to_block() { # SERIAL
  for each in /sys/class/nvme/$(serial_to_controller $1)/nvme*n1; do
    [ ! -e $each ] || echo /dev/$(basename $each | sed 's/c[0-9]*n/n/')
  done
}
await_drive() { # SERIAL: until it is live and has a block device
  for i in $(seq 300); do
    controller=$(serial_to_controller $1)
    if [ -n "$controller" ] && [ "$(cat /sys/class/nvme/$controller/state)" = live ]; then
      block=$(serial_to_block $1)
      [ ! -b "$block" ] || return 0
    fi
    usleep 100000
  done
  return 1
}
interrupts() { # CONTROLLER: how many interrupts of its I/O queues there were
  grep "$1q[1-9]" /proc/interrupts | awk '{ for (i = 2; i < NF; i++) if ($i ~ /^[0-9]+$/) n += $i }
    END { print n + 0 }'
}
verify() { # NAME FOLDER ARGUMENT...: fio writes and reads back, each block with a checksum
  name=$1 folder=$2
  shift 2
  /tools/fio --name=$name --directory=$folder --ioengine=$ENGINE --direct=1 --verify=crc32c \
    --verify_fatal=1 --do_verify=1 --randseed=41 --thread --minimal "$@" >/tmp/fio.out 2>&1 ||
    { head -c 400 /tmp/fio.out | tr '\n' ' ' >/tmp/fio.line; return 1; }
}
drive() { # SERIAL: all that one drive has to stand
  serial=$1
  await_drive $serial || { complain $serial "it is not there"; return; }
  say "PEERLANE-TEST $serial BEGIN"
  folder=/mnt/$serial
  mkdir -p $folder
  /tools/mke2fs -q -F -t ext4 $block >/tmp/mke2fs 2>&1 ||
    { complain $serial "mke2fs: $(head -n 1 /tmp/mke2fs)"; return; }
  mount -t ext4 $block $folder || { complain $serial "it can't be mounted"; return; }
  before=$(interrupts $controller)
  verify random $folder --rw=randrw --bs=4k --size=16m --iodepth=16 &&
    verify large $folder --rw=write --bs=1m --size=24m --iodepth=4 &&
    verify mixed $folder --rw=randwrite --bsrange=4k-256k --size=16m --iodepth=8 --numjobs=2 ||
    { complain $serial "fio: $(cat /tmp/fio.line)"; return; }
  after=$(interrupts $controller)
  if [ $after -le $before ]; then
    complain $serial "no interrupt of an I/O queue was counted"
    return
  fi
  head -c 5000000 /dev/urandom >$folder/proof
  sum=$(sha256sum <$folder/proof | cut -d ' ' -f 1)
  fstrim $folder || { complain $serial "fstrim failed"; return; }
  umount $folder || { complain $serial "it can't be unmounted"; return; }
  /tools/e2fsck -fn $block >/tmp/e2fsck 2>&1 ||
    { complain $serial "e2fsck: $(tail -n 1 /tmp/e2fsck)"; return; }
  passed $serial "$((after - before)) interrupts"
  passed $serial-sum $sum
  touch $folder/sum
}
same() { # SERIAL WHAT: whether the proof is still what it was
  await_drive $1 || { complain $1-$2 "it did not come back"; return; }
  mount -t ext4 -o ro $block /mnt/$1 || { complain $1-$2 "it can't be mounted"; return; }
  found=$(sha256sum </mnt/$1/proof | cut -d ' ' -f 1)
  umount /mnt/$1
  say "PEERLANE-TEST $1-$2 BEGIN"
  passed $1-$2 $found
}
controller_reset() { # SERIAL
  echo 1 >/sys/class/nvme/$(serial_to_controller $1)/reset_controller
  same $1 reset
}
function_reset() { # SERIAL: the driver is notified before and after
  echo 1 >/sys/class/nvme/$(serial_to_controller $1)/device/reset
  same $1 function-reset
}
probe_again() { # SERIAL: taken off the bus and found again
  path=$(readlink -f /sys/class/nvme/$(serial_to_controller $1)/device)
  echo 1 >$path/remove
  echo 1 >/sys/bus/pci/rescan
  same $1 probe
}

ENGINE=libaio
/tools/fio --enghelp=libaio >/dev/null 2>&1 || ENGINE=io_uring
for each in $SERIALS; do
  drive $each
done
for each in $SERIALS; do
  [ -e /mnt/$each/sum ] || continue
  controller_reset $each
  # after a function reset Linux does not re-enable the CMB that holds its submission queues
  [ -e $(readlink -f /sys/class/nvme/$(serial_to_controller $each)/device)/p2pmem ] ||
    function_reset $each
  probe_again $each
done
dmesg | grep -iE 'nvme.*(timeout|error|abort|fail|disabl)|I/O error|EXT4-fs error|BUG:|WARNING:' \
  >/tmp/bad
if [ -s /tmp/bad ]; then
  complain dmesg "$(wc -l </tmp/bad) lines, the first: $(head -n 1 /tmp/bad)"
else
  passed dmesg "$(dmesg | grep -c nvme) lines of nvme, no complaint"
fi
