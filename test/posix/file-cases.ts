/**
 * What programs do to files and names. The same is run on a bare directory and through the mount;
 * whatever differs is a failure, so nothing is expected here: the kernel's own file system is the
 * expectation.
 */
import { type Cases, sh, USER, xt } from './step.js';

const LONG = 'n'.repeat(255);

export const FILE_CASES: Cases = {
  'new files belong to who makes them': [
    xt('open wcx $D/root , mkdir $D/dir 777 , mknod $D/fifo p 644 , symlink x $D/link'),
    xt('open wcx $D/user , mkdir $D/user-dir 755 , symlink x $D/user-link', USER),
    xt('open wcx $D/other-group', USER, 2000),
  ],
  'modes and umask of the caller': [
    xt('umask 077 , open wcx $D/a , mkdir $D/b 777 , mknod $D/c p 666'),
    xt('umask 0 , open wcx $D/d , mkdir $D/e 2777 , mknod $D/f s 666', USER),
    xt('umask 027 , open wcx $D/g , mkdir $D/h 1777', USER),
  ],
  'a set-gid directory gives its group': [
    sh('mkdir $D/s; chown 0:3000 $D/s; chmod 2777 $D/s'),
    xt('open wcx $D/s/file , mkdir $D/s/dir 755 , mknod $D/s/fifo p 644', USER),
    xt('chmod $D/s/file 2755 , stat $D/s/file', USER),
  ],
  'a sticky directory protects what others own': [
    sh('mkdir -m 1777 $D/sticky; touch $D/sticky/root'),
    xt(
      'open wcx $D/sticky/own , unlink $D/sticky/root , rename $D/sticky/root $D/sticky/x , unlink $D/sticky/own',
      USER,
    ),
  ],
  'permissions refuse as they do below': [
    sh(
      'mkdir -m 700 $D/closed; touch $D/closed/in; echo x > $D/secret; chmod 600 $D/secret; mkdir -m 755 $D/ro',
    ),
    xt(
      'open r $D/secret , open w $D/secret , stat $D/closed/in , list $D/closed , open wcx $D/ro/new , unlink $D/secret , mkdir $D/ro/d 755',
      USER,
    ),
    xt(
      'chmod $D/secret 777 , chown $D/secret 1000 1000 , utimens $D/secret 1 0 1 0 , truncate $D/secret 0 , access $D/secret r',
      USER,
    ),
  ],
  'supplementary groups count': [
    sh('echo x > $D/group; chgrp 3000 $D/group; chmod 640 $D/group'),
    sh('setpriv --reuid 1000 --regid 1000 --groups 3000 cat $D/group'),
    sh('setpriv --reuid 1000 --regid 1000 --clear-groups cat $D/group 2>&1 | sed "s|.*:||"'),
  ],
  'chown and chmod, and the set-id bits': [
    sh('echo x > $D/f; chown 1000:1000 $D/f; chmod 6755 $D/f'),
    xt('chown $D/f 1000 1000 , stat $D/f', USER),
    xt('chmod $D/f 6755 , chown $D/f 5 5 , stat $D/f , chown $D/f 0xffffffff 7 , stat $D/f'),
    xt('chmod $D/f 4777 , stat $D/f'),
    xt('open w $D/f , write y , close , stat $D/f', 1001),
    // By root it would be otherwise: what writes for callers has no CAP_FSETID.
    xt('chmod $D/f 4777'),
    xt('truncate $D/f 1 , stat $D/f', 1001),
  ],
  'hard links': [
    xt(
      'open wcx $D/a , write text , close , link $D/a $D/b , stat $D/a , stat $D/b , unlink $D/a , stat $D/b , open r $D/b , read',
    ),
    xt('link $D/b $D/b , link $D $D/dir , link $D/nowhere $D/c'),
  ],
  symlinks: [
    xt(
      'symlink target $D/l , readlink $D/l , stat $D/l , symlink x $D/l , readlink $D/nowhere , open r $D/l , open rn $D/l',
    ),
    sh(
      'echo deep > $D/target; ln -s l $D/l2; cat $D/l2; ln -s loop $D/loop; cat $D/loop 2>&1 | sed "s|.*: ||"',
    ),
  ],
  'rename, over files and directories, and its flags': [
    sh('cd $D; echo a > a; echo b > b; mkdir d1 d2 full; touch full/x'),
    xt(
      'rename $D/a $D/b , stat $D/a , open r $D/b , read , rename $D/d1 $D/d2 , rename $D/d2 $D/full , rename $D/b $D/d2 , rename $D/d2 $D/b',
    ),
    xt(
      'open wcx $D/n , rename $D/b $D/n noreplace , rename $D/b $D/new noreplace , rename $D/n $D/new exchange , rename $D/full $D/full/in , rename $D/none $D/x',
    ),
  ],
  'a whiteout belongs to who renames': [
    xt('open wcx $D/a , rename $D/a $D/b whiteout , stat $D/a , stat $D/b', USER),
  ],
  'an unlinked open file lives on': [
    xt(
      'open rwcx $D/gone , write text , unlink $D/gone , stat $D/gone , fstat , pread 0 4 , pwrite 4 more , fstat , ftruncate 2 , fstat , reopen r , read',
    ),
    sh('ls -A $D'),
  ],
  directories: [
    xt(
      'mkdir $D/d 755 , mkdir $D/d 755 , open wcx $D/d/f , rmdir $D/d , unlink $D/d , unlink $D/d/f , rmdir $D/d , rmdir $D/d , rmdir $D/nowhere , open w $D , open ry $D , list $D',
    ),
  ],
  'names of 255 bytes, and of 256': [
    xt(
      `open wcx $D/${LONG} , stat $D/${LONG} , rename $D/${LONG} $D/${LONG.replace('n', 'm')} , open wcx $D/x${LONG} , mkdir $D/${LONG} 755 , list $D ${LONG}`,
    ),
    sh('cd $D; touch "$(printf "line\\nbreak")" "$(printf "\\377\\376")" " " "ä"; ls -A | od -c'),
  ],
  'a directory of 5,000 entries': [
    sh(
      'mkdir $D/big; cd $D/big; seq -f "entry-%05g" 5000 | xargs touch; ls | wc -l; ls | sha256sum',
    ),
    sh('cd $D/big; rm entry-00[0-4]*; ls | wc -l; ls -f | sort | sha256sum; rm -r $D/big'),
  ],
  'user and trusted xattrs': [
    xt(
      'open wcx $D/f , setx $D/f user.a 0102 , getx $D/f user.a , setx $D/f user.a 03 , getx $D/f user.a , listx $D/f , rmx $D/f user.a , getx $D/f user.a , rmx $D/f user.a , setx $D/f user.empty , getx $D/f user.empty',
    ),
    xt(
      'setx $D/f trusted.b 01 , getx $D/f trusted.b , setx $D/f nonsense.c 01 , getx $D/f user.none',
    ),
    xt('setx $D/f user.d 01 , getx $D/f trusted.b , setx $D/f trusted.b 02', USER),
    xt('mkdir $D/d 755 , setx $D/d user.a 01 , getx $D/d user.a'),
  ],
  'POSIX ACLs': [
    sh('cd $D; echo x > f; chmod 600 f; setfacl -m u:1000:r f; getfacl -c -n f; stat -c %a f'),
    xt('open r $D/f , open w $D/f', USER),
    sh(
      'cd $D; mkdir d; setfacl -d -m u:1000:rwx,g::r d; touch d/new; mkdir d/sub; getfacl -c -n d d/new d/sub',
    ),
    sh('cd $D; setfacl -b f; getfacl -c -n f; chmod 640 d/new; getfacl -c -n d/new'),
    sh('cd $D; umask 0; touch d/wide; getfacl -c -n d/wide'),
    sh(
      'cd $D; chown 1000:1000 f; chmod 2755 f; setpriv --reuid 1000 --regid 1000 --clear-groups setfacl -m u:5:r f; stat -c %a f',
    ),
  ],
  'fallocate, holes and seeking': [
    xt(
      'open rwcx $D/f , fallocate 0 0 65536 , fstat , write text , fallocate 1 0 131072 , fstat , fallocate 3 0 4096 , read 4 , seek data 0 , seek hole 0 , seek data 1000000',
    ),
    xt(
      'open rwcx $D/holes , pwrite 1048576 x , seek data 0 , seek hole 0 , seek hole 1048576 , fstat',
    ),
    xt('open r $D/f , fallocate 0 0 1 , ftruncate 1'),
  ],
  copy_file_range: [
    xt(
      'open rwcx $D/a , write 0123456789 , seek set 2 , open wcx $D/b , copyrange 0 5 , fstat , open r $D/b , read',
    ),
    sh('cp --reflink=auto $D/a $D/c; cat $D/c; cp --sparse=always $D/a $D/d; cat $D/d'),
  ],
  'advisory locks': [
    xt(
      'open rwcx $D/f , lock w 0 10 , fork , open rw $D/f , lock w 5 1 , lock r 20 1 , lock w 10 5 , end , join , lock u 0 10 , fork , open rw $D/f , lock w 5 1 , end , join',
    ),
    xt(
      'open rw $D/f , flock x , open rw $D/f , flock x , flock s , use 0 , flock u , use 1 , flock s , use 0 , flock s , flock x',
    ),
  ],
  'times with nanoseconds': [
    xt(
      'open wcx $D/f , close , utimens $D/f 1 123456789 2 987654321 , times $D/f , utimens $D/f -5 1 4102444800 999999999 , times $D/f',
    ),
    xt(
      'symlink x $D/l , utimens $D/l 3 4 5 6 , times $D/l , mkdir $D/d 755 , utimens $D/d 7 8 9 10 , times $D/d',
    ),
  ],
  'files over 4 GiB': [
    xt(
      'open rwcx $D/f , pwrite 5000000000 end , fstat , pread 5000000000 3 , pread 4999999990 10 , truncate $D/f 6000000000 , fstat , ftruncate 1 , fstat',
    ),
  ],
  'special files': [
    xt(
      'mknod $D/p p 640 , mknod $D/s s 600 , mknod $D/c c 666 , mknod $D/f f 604 , stat $D/p , stat $D/s , stat $D/c , stat $D/f , mknod $D/p p 640',
    ),
    sh('cd $D; (echo through > p &) ; cat p; echo x > c; cat c | wc -c'),
    xt('mknod $D/no c 666', USER),
  ],
  'O_TMPFILE and linkat': [
    xt(
      'open rwm $D , write hidden , fstat , linkfd $D/named , stat $D/named , open r $D/named , read , linkfd $D/named',
    ),
    xt('open rwm $D , write user', USER),
  ],
  'O_EXCL, O_CREAT, O_TRUNC, O_DIRECTORY, O_NOFOLLOW': [
    xt(
      'open wcx $D/f , write text , close , open wcx $D/f , open wc $D/f , fstat , open wt $D/f , fstat , open ry $D/f , symlink f $D/l , open wcx $D/l , open rn $D/l , open r $D/nowhere , open wc $D/no/where',
    ),
  ],
  'programs, scripts and their modes': [
    sh(
      'cd $D; printf "#!/bin/sh\\nexit 3\\n" > s; chmod 755 s; ./s; echo $?; chmod 644 s; ./s 2>/dev/null; echo $?',
    ),
    sh('cd $D; cp /bin/true t; ./t; echo $?; chmod 4755 t; stat -c %a t; ./t; echo $?'),
  ],
  'what tools do': [
    sh(
      'cd $D; mkdir -p a/b/c; echo 1 > a/b/c/f; tar cf t.tar a; rm -r a; tar xf t.tar; cat a/b/c/f; rm t.tar',
    ),
    sh(
      'cd $D; seq 1000 > n; sed -i s/5/five/ n; sort -r n -o n; sha256sum < n; mv n m; install -m 640 m o; rsync --version >/dev/null 2>&1; rm m',
    ),
    sh(
      'cd $D; git init -q -b main r 2>/dev/null && cd r && echo x > f && git add f && git -c user.name=a -c user.email=b@c commit -q -m m && git status --short && git log --format=%s; rm -rf $D/r',
    ),
  ],
};
