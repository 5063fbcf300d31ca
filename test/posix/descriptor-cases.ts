/** What an open descriptor can do: append, lock, lease, map, copy, allocate, sync. */
import { type Cases, sh, USER, xt } from './step.js';

/** Clearing O_APPEND is not here: with passthrough the kernel keeps it (SECURITY.md). */
export const DESCRIPTOR_CASES: Cases = {
  'appending is as the descriptor says at each write': [
    xt(
      'open rwcx $D/f , write 0123456789 , open a $D/f , write A , pwrite 0 B , use 0 , pwrite 2 c , setfl a , pwrite 0 D , fstat , pread 0 20',
    ),
  ],
  'stores through a mapping stay in their place beside appends': [
    xt(
      'open rwacx $D/f , write 0123456789 , mmap rw s 10 , store 0 AB , write end , msync , store 2 CD , msync , fsync , fstat , pread 0 20',
    ),
  ],
  'locks of the open file description': [
    xt(
      'open rwcx $D/f , ofd w 0 10 , open rw $D/f , ofd w 5 1 , ofd r 20 1 , use 0 , ofd w 20 1 , ofd u 0 10 , use 1 , ofd w 5 1',
    ),
  ],
  'leases of programs': [
    xt('open rcx $D/f , lease r , lease u , open w $D/f , use 0 , lease r', USER),
    xt('open r $D/f , lease r , lease w'),
  ],
  'a clone is refused or made, as below': [
    xt('open rwcx $D/a , write text , open wcx $D/b , clone 0 , fstat'),
  ],
  'copies within the kernel': [
    xt(
      'open rwcx $D/a , write 0123456789 , open rwcx $D/b , sendfile 0 10 , sendfile 0 4 , fstat , pread 0 20 , copyrange 0 100 , use 0 , copyrange 0 5 , seek set 0 , copyrange 1 8 , pread 0 20',
    ),
    xt('open r $D/a , open r $D/b , copyrange 0 5'),
    xt('open r $D , open w $D/b , copyrange 0 5'),
  ],
  'space is allocated, punched and zeroed': [
    xt(
      'open rwcx $D/f , fallocate 0 0 100000 , fstat , fallocate 1 100000 100000 , fstat , pwrite 0 text , fallocate 3 0 2 , pread 0 4 , fallocate 16 2 2 , pread 0 4 , fallocate 17 90000 50000 , fstat , fallocate 2 0 10 , fallocate 0 0 0 , fallocate 0 -1 5',
    ),
  ],
  'syncing and O_SYNC, O_DSYNC': [
    xt(
      'open rwscx $D/f , write text , fsync , fdatasync , fstat , open r $D/f , fsync , open ry $D , fsync , fdatasync',
    ),
    sh(
      'cd $D; dd if=/dev/zero of=g bs=4k count=4 oflag=dsync 2>&1 | grep -c copied; sync g; sync -f g',
    ),
  ],
  'O_PATH descriptors': [
    xt(
      'open rwcx $D/f , write text , open p $D/f , read , write x , fstat , reopen r , read , fgetx user.a',
    ),
    xt('open p $D , fstat , reopen ry , fstat'),
  ],
  'a private mapping and a shared one': [
    xt(
      'open rwcx $D/f , write 0123456789 , mmap rw p 10 , store 0 XX , load 0 4 , pread 0 4 , munmap , mmap rw s 10 , store 0 YY , pread 0 4 , close , store 2 ZZ , munmap , open r $D/f , read',
    ),
    xt('open r $D/f , mmap rw s 10 , mmap rw p 10 , load 0 4'),
    xt('open w $D/f , mmap r s 10'),
  ],
  'sizes beyond the end, and back': [
    xt(
      'open rwcx $D/f , pwrite 10000 x , fstat , ftruncate 5 , fstat , ftruncate 20000 , pread 9999 3 , fstat , ftruncate -1 , seek end -1 , seek set -1 , seek hole 0 , seek data 0',
    ),
    xt('truncate $D/f 100000000000000000'),
  ],
};
