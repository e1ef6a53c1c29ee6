#!/usr/bin/env bash
# Makes core/src/test/resources/signatures anew: small images by the programs that people format with, each as the
# sectors in which wipefs looks, and what wipefs says of it. Needs the packages e2fsprogs xfsprogs btrfs-progs lvm2
# cryptsetup-bin mdadm dosfstools ntfs-3g exfatprogs f2fs-tools bcache-tools fdisk gdisk jfsutils nilfs-tools
# squashfs-tools erofs-utils udftools genisoimage reiserfsprogs, and root for LVM (a loop device).
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
PATH=$PATH:/usr/sbin:/sbin
to=$PWD/core/src/test/resources/signatures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

blank() { # NAME SIZE
  truncate -s "$2" "$1"
}

keep() { # NAME [BYTES]: sectors that are not zero, of the first 2.25 MiB (or so many bytes) and the last 1 MiB
  python3 - "$1" "${2:-2359296}" <<'P' | gzip -9n >"$to/$1.gz"
import os, sys
name, head = sys.argv[1], int(sys.argv[2])
size = os.path.getsize(name)
print("size", size)
with open(name, "rb") as f:
    for at in range(0, size, 512):
        if head <= at < size - 1048576:
            continue
        f.seek(at)
        sector = f.read(512)
        if sector.strip(b"\0"):
            print(at, sector.rstrip(b"\0").hex())
P
  gzip -dc "$to/$1.gz" | python3 -c '
import sys
f = open(sys.argv[1], "wb")
f.truncate(int(sys.stdin.readline().split()[1]))
for line in sys.stdin:
    at, data = line.split()
    f.seek(int(at)); f.write(bytes.fromhex(data))
' kept
  echo "$1 $(wipefs -n -O TYPE kept | tail -n +2 | sort -u | tr '\n' ' ')" | sed 's/ *$//' >>"$to/wipefs.txt"
  rm -f kept "$1"
}

rm -rf "$to"
mkdir -p "$to" files
echo hello >files/hello
echo "# image, and the types that wipefs of $(wipefs --version | sed 's/.*util-linux/util-linux/') names" >"$to/wipefs.txt"

blank ext2 8M && mkfs.ext2 -q ext2 && keep ext2
blank ext3 16M && mkfs.ext3 -q ext3 && keep ext3
blank ext4 16M && mkfs.ext4 -q -L data ext4 && keep ext4
blank journal 16M && mke2fs -q -O journal_dev journal && keep journal
blank xfs 320M && mkfs.xfs -q xfs && keep xfs
blank btrfs 120M && mkfs.btrfs -q btrfs >/dev/null && keep btrfs
blank fat12 4M && mkfs.vfat -F 12 fat12 >/dev/null && keep fat12
blank fat16 64M && mkfs.vfat -F 16 fat16 >/dev/null && keep fat16
blank fat32 300M && mkfs.vfat -F 32 fat32 >/dev/null && keep fat32
blank ntfs 16M && mkfs.ntfs -F -q -f ntfs >/dev/null 2>&1 && keep ntfs
blank exfat 16M && mkfs.exfat exfat >/dev/null 2>&1 && keep exfat
blank f2fs 64M && mkfs.f2fs -q f2fs >/dev/null 2>&1 && keep f2fs
blank jfs 32M && mkfs.jfs -q jfs >/dev/null 2>&1 && keep jfs
blank nilfs2 160M && mkfs.nilfs2 -q nilfs2 >/dev/null 2>&1 && keep nilfs2
blank reiserfs 64M && mkreiserfs -ff -q reiserfs >/dev/null 2>&1 && keep reiserfs
blank swap 8M && mkswap swap >/dev/null 2>&1 && keep swap
blank swap64k 8M && mkswap -p 65536 swap64k >/dev/null 2>&1 && keep swap64k
blank udf 16M && mkudffs udf >/dev/null 2>&1 && keep udf
genisoimage -quiet -o iso9660 files 2>/dev/null && keep iso9660
mksquashfs files squashfs -quiet -no-progress >/dev/null 2>&1 && keep squashfs
mkfs.erofs erofs files >/dev/null 2>&1 && keep erofs
blank bcache 16M && make-bcache -B bcache >/dev/null 2>&1 && keep bcache
blank luks1 16M && echo -n pass | cryptsetup -q luksFormat --type luks1 --pbkdf-force-iterations 1000 luks1 - && keep luks1 4096
blank luks2 32M && echo -n pass \
  | cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 luks2 - && keep luks2 65536
blank gpt 16M && sgdisk -n 1:2048:20000 gpt >/dev/null && keep gpt
blank dos 16M && printf 'label: dos\n,8M,83\n' | sfdisk -q dos && keep dos
blank sun 64M && printf 'label: sun\n' | sfdisk -q sun 2>/dev/null && keep sun
blank sgi 64M && printf 'label: sgi\n' | sfdisk -q sgi 2>/dev/null && keep sgi
blank lvm 16M && loop=$(losetup -f --show lvm) && pvcreate -q -y "$loop" >/dev/null 2>&1 && losetup -d "$loop" && keep lvm
cat "$to/wipefs.txt"
du -sh "$to"
