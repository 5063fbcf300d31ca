/** What root of a container's user namespace may do to files of its ids, and to those of others. */
import { type Cases, CONTAINER_ROOT, inContainer, sh, xt } from './step.js';

const given = (paths: string): string => `chown ${CONTAINER_ROOT}:${CONTAINER_ROOT} ${paths}`;

export const USER_NAMESPACE_CASES: Cases = {
  'what a container makes belongs to its ids': [
    sh(given('$D')),
    inContainer(
      xt(
        'open wcx $D/f , mkdir $D/d 755 , symlink x $D/l , mknod $D/p p 644 , stat $D/f , stat $D/d , chown $D/f 5 6 , stat $D/f , chown $D/f 70000 0 , chmod $D/f 4755 , stat $D/f',
      ),
    ),
    xt('stat $D/f , stat $D/d , stat $D/l'),
  ],
  'its root may do there what root may do': [
    sh(
      `cd $D; ${given('.')}; echo x > own; chmod 0 own; ${given('own')}; mkdir -m 0 d; ${given('d')}`,
    ),
    inContainer(
      xt(
        'open rw $D/own , read , open wcx $D/d/f , mkdir $D/d/e 755 , list $D/d , chmod $D/d 755 , utimens $D/own 1 1 1 1 , rename $D/own $D/d/own , unlink $D/d/own',
      ),
    ),
    inContainer(xt('open wcx $D/s , chown $D/s 7 7 , chmod $D/s 6755 , stat $D/s')),
    inContainer(
      sh(
        'cd $D; setfacl -m u:9:rw d/f; getfacl -cn d/f; setfattr -n user.a -v 1 d/f; getfattr -d d/f',
      ),
    ),
  ],
  'and nothing to what is not of its ids': [
    sh(
      `cd $D; chmod 777 .; echo x > host; chmod 600 host; echo x > open; chmod 644 open; mkdir -m 755 hosts`,
    ),
    inContainer(
      xt(
        'open r $D/host , open r $D/open , read , open w $D/open , chmod $D/open 777 , chown $D/open 0 0 , unlink $D/hosts/x , open wcx $D/hosts/x , stat $D/host , truncate $D/open 0 , setx $D/open user.a 01 , utimens $D/open 1 1 1 1',
      ),
    ),
  ],
  "nor what needs the host's root": [
    sh(given('$D')),
    inContainer(
      xt(
        'open wcx $D/f , device $D/c c 1 3 , device $D/b b 8 0 , device $D/white c 0 0 , setx $D/f trusted.a 01 , setx $D/f security.ima 0401 , setx $D/f security.other 01 , flags 10 , flags 80000',
      ),
    ),
    inContainer(sh('cd $D; listed=$(getfattr -d -m - f); echo "$listed"')),
  ],
  'capabilities of programs stay in their namespace': [
    sh(`cd $D; ${given('.')}; cp /bin/true t; ${given('t')}`),
    inContainer(
      xt(
        'setx $D/t security.capability 0100000200040000000000000000000000000000 , getx $D/t security.capability',
      ),
    ),
    xt('getx $D/t security.capability'),
  ],
};
