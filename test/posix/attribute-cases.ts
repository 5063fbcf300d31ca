/** What a file is besides its content: times, flags of chattr(1), devices, attributes and their limits. */
import { type Cases, sh, USER, xt } from './step.js';

const immutable = 'chattr +i $D/f || echo not here';

export const ATTRIBUTE_CASES: Cases = {
  'a change of anything moves ctime': [
    xt(
      'open rwcx $D/f , ctime $D/f , ctime $D/f , chmod $D/f 600 , ctime $D/f , chown $D/f -1 -1 , ctime $D/f , write x , ctime $D/f , link $D/f $D/g , ctime $D/f , rename $D/g $D/h , ctime $D/f , unlink $D/h , ctime $D/f , setx $D/f user.a 01 , ctime $D/f , flags 80040 , ctime $D/f , ftruncate 1 , ctime $D/f , truncate $D/f 1 , ctime $D/f , read , ctime $D/f',
    ),
    xt(
      'mkdir $D/d 755 , ctime $D/d , chown $D/d -1 -1 , ctime $D/d , open wcx $D/d/f , ctime $D/d , unlink $D/d/f , ctime $D/d',
    ),
  ],
  'a mapping moves the times of a file': [
    xt(
      'open rwcx $D/f , write 0123456789 , ctime $D/f , mmap rw s 10 , store 0 x , msync , ctime $D/f , munmap , ctime $D/f',
    ),
  ],
  'the time of birth': [
    xt('open wcx $D/f , born $D/f , mkdir $D/d 755 , born $D/d , symlink x $D/l , born $D/l'),
  ],
  'an immutable file, and one that can only grow': [
    sh(`cd $D; echo text > f; ${immutable}; lsattr f | cut -c1-20`),
    xt(
      'open r $D/f , read , flags , open w $D/f , open a $D/f , open rt $D/f , chmod $D/f 600 , chown $D/f 5 5 , utimens $D/f 1 1 1 1 , truncate $D/f 1 , unlink $D/f , rename $D/f $D/g , link $D/f $D/g , setx $D/f user.a 01',
    ),
    sh('cd $D; chattr -i f; chattr +a f; lsattr f | cut -c1-20'),
    xt(
      'open w $D/f , open at $D/f , open rt $D/f , open a $D/f , write more , pwrite 0 X , ftruncate 1 , open r $D/f , read , unlink $D/f , truncate $D/f 0',
    ),
    sh('cd $D; chattr -a f; echo over > f; cat f; mkdir d; chattr +i d; touch d/x; chattr -i d'),
  ],
  'flags of chattr and projects, by whom they may be set': [
    xt('open rwcx $D/f , flags , flags 80000 , flags 80080 , flags , project', USER),
    xt('open r $D/f , flags 10 , flags 20', USER),
    xt('open r $D/f , flags , flags 0', 1001),
    xt('mkdir $D/d 755 , open ry $D/d , flags 80080 , flags'),
    xt('symlink f $D/l , open r /dev/null , flags'),
  ],
  'device numbers of all sizes': [
    xt(
      'device $D/a c 1 3 , device $D/b b 4095 1048575 , device $D/c c 0 0 , device $D/d b 259 65536',
    ),
    xt('device $D/no b 8 0', USER),
    sh('cd $D; mknod null c 1 3; echo x > null; cat null; echo $?'),
  ],
  'attributes at their limits': [
    xt(
      `open wcx $D/f , setx $D/f user.${'n'.repeat(250)} 01 , setx $D/f user.${'n'.repeat(251)} 01 , setx $D/f user. 01 , setx $D/f user 01 , setx $D/f system.other 01 , setx $D/f security.other 0102 , getx $D/f security.other , listx $D/f`,
    ),
    sh(
      'cd $D; head -c 3000 /dev/zero | tr "\\0" x > v; setfattr -n user.large -v "$(cat v)" f; getfattr -n user.large --only-values f | wc -c',
    ),
    sh(
      'cd $D; setfattr -n user.huge -v "$(head -c 65537 /dev/zero | tr "\\0" x)" f 2>&1 | sed "s|.*: ||"',
    ),
    xt('getx $D/f security.other , rmx $D/f security.other , setx $D/f security.other 01', USER),
  ],
  'attributes of links, pipes and directories': [
    xt(
      'symlink x $D/l , setx $D/l user.a 01 , setx $D/l trusted.a 01 , getx $D/l trusted.a , listx $D/l , mknod $D/p p 644 , setx $D/p user.a 01 , setx $D/p trusted.a 01 , mkdir $D/d 1777 , setx $D/d user.a 01',
    ),
    xt('setx $D/d user.b 01 , rmx $D/d user.a , getx $D/d user.a', USER),
  ],
  'capabilities of programs go when the file changes': [
    xt(
      'open wcx $D/f , write x , setx $D/f security.capability 0100000200040000000000000000000000000000 , getx $D/f security.capability , open w $D/f , getx $D/f security.capability , write y , getx $D/f security.capability',
    ),
    xt('setx $D/f security.capability 0100000200040000000000000000000000000000', USER),
    xt(
      'setx $D/f security.capability 0100000200040000000000000000000000000000 , chown $D/f 5 5 , getx $D/f security.capability',
    ),
  ],
  'sockets that are bound to a name': [
    sh(`cd $D; python3 -c '
import socket
s = socket.socket(socket.AF_UNIX); s.bind("s"); s.listen()
c = socket.socket(socket.AF_UNIX); c.connect("s"); c.send(b"x"); print(s.accept()[0].recv(9))'
stat -c %F s; rm s`),
  ],
  'the file system that statfs describes': [sh('cd $D; stat -f -c "%l %s %S %b %c" .')],
  'names that end in a slash or in dots': [
    sh(
      'cd $D; echo x > f; cat f/ 2>&1 | sed "s|.*: ||"; mkdir d/; rmdir d/. 2>&1 | sed "s|.*: ||"; rmdir d/.. 2>&1 | sed "s|.*: ||"; mv f d/ && ls d; ln -s d l; rm l/ 2>&1 | sed "s|.*: ||"; ls',
    ),
  ],
};
