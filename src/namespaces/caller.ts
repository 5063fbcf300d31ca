/** Which credentials of a caller policies are asked with. */
import type { Caller } from '../binding/addon-types.js';
import type { Subject } from '../ima/ports.js';

/**
 * The thread's own credentials; where the request carries others (an io_uring personality, overlayfs
 * on top of us, any io worker) also those it carries, of which the protocol tells fsuid and fsgid only.
 */
export const subjectsOf = (caller: Caller): readonly Subject[] => {
  const { uid, euid, suid, gid, egid, sgid, capSetuid, capSetgid } = caller.credentials;
  const own: Subject = { uid, euid, suid, gid, egid, sgid, capSetuid, capSetgid };
  return caller.borrowed ? [own, ofRequest(caller)] : [own];
};

const ofRequest = ({ requestUid, requestGid }: Caller): Subject => ({
  uid: requestUid,
  euid: requestUid,
  suid: requestUid,
  gid: requestGid,
  egid: requestGid,
  sgid: requestGid,
  // Without effect: all three ids are equal.
  capSetuid: false,
  capSetgid: false,
});
