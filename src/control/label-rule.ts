/**
 * Who may change security.ima through `label`. It is one for all namespaces (DESIGN section 4): a
 * namespace may label what it could write, where its own policy would let that writing open pass and
 * no other policy could appraise the file, under whatever hook. The system's root may always, as with
 * setxattr(2) and CAP_SYS_ADMIN.
 */
import { readFile } from 'node:fs/promises';
import type { ErrnoName } from '../base/errno.js';
import type { HashPool } from '../binding/hash-pool.js';
import { appraiseMeasurement } from '../ima/appraise-measurement.js';
import { matchPolicy } from '../ima/policy/match-policy.js';
import { MAY_WRITE, type ObjectFacts } from '../ima/ports.js';
import { hashAlgorithmOfXattr, isSignature } from '../ima/xattr/decode-xattr.js';
import type { Namespace } from '../namespaces/namespace.js';
import type { Judge, Registry } from '../namespaces/registry.js';
import type { Sharing } from '../namespaces/sharing.js';
import type { LabelRequest } from './label.js';

export interface LabelRuleParts {
  readonly registry: Pick<Registry, 'system' | 'judges'>;
  readonly sharing: Pick<Sharing, 'mayWrite'>;
  readonly hashPool: Pick<HashPool, 'digest'>;
  /** What policy conditions know of the backing file system. */
  readonly fileSystem: Pick<ObjectFacts, 'fsMagic' | 'fsName' | 'fsUuid'>;
  /** /proc/TID/uid_map or gid_map (user_namespaces(7)); readIdMap but in tests. */
  readonly readIdMap: (tid: number, which: 'uid_map' | 'gid_map') => Promise<string>;
}

export const readIdMap: LabelRuleParts['readIdMap'] = (tid, which) =>
  readFile(`/proc/${tid}/${which}`, 'latin1');

/** Whether an id of ours has a meaning in the user namespace with this map. */
const isMapped = (map: string, id: number): boolean =>
  map.split('\n').some((line) => {
    const [, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number);
    return id >= outside && id < outside + count;
  });

export class LabelRule {
  constructor(private readonly parts: LabelRuleParts) {}

  /** EPERM: not this caller's to label. EACCES: a policy would refuse the writing open. */
  async refusal(request: LabelRequest): Promise<ErrnoName | undefined> {
    const { caller, namespace, opened } = request;
    const { registry, sharing } = this.parts;
    if (caller.scope === registry.system.id) return undefined;
    if (!(await this.#ownsFile(request)) || isSignature(opened.xattrs[0])) return 'EPERM';
    const asked = await registry.judges(caller);
    const passed = new Set<Namespace>();
    for (const judge of asked) {
      if (!this.#appraises(judge, request)) continue;
      if (!(await this.#passes(judge, request))) return 'EACCES';
      passed.add(judge.namespace);
    }
    const judges = asked.map((judge) => judge.namespace);
    const may = sharing.mayWrite(namespace, this.#object(request), { judges, passed });
    return may ? undefined : 'EPERM';
  }

  /** capable_wrt_inode_uidgid(): root of a user namespace is root for ids that are mapped there. */
  async #ownsFile({ caller: { tid }, opened: { file } }: LabelRequest): Promise<boolean> {
    const uids = await this.parts.readIdMap(tid, 'uid_map');
    const gids = await this.parts.readIdMap(tid, 'gid_map');
    return isMapped(uids, file.uid) && isMapped(gids, file.gid);
  }

  #object({ opened: { file } }: LabelRequest): ObjectFacts {
    return { uid: file.uid, gid: file.gid, ...this.parts.fileSystem };
  }

  #appraises({ ima, subjects }: Judge, request: LabelRequest): boolean {
    const object = this.#object(request);
    return (
      ima.mode === 'enforce' &&
      subjects.some((subject) => {
        const query = { hook: 'FILE_CHECK', mask: MAY_WRITE, subject, object } as const;
        return matchPolicy(ima.policy, query, new Set(['appraise'])).appraise !== undefined;
      })
    );
  }

  /** ima_appraise_measurement, of the file as it is. */
  async #passes({ ima }: Judge, { caller, opened }: LabelRequest): Promise<boolean> {
    const { fd, file, node, xattrs } = opened;
    const [imaXattr] = xattrs;
    const algorithm = hashAlgorithmOfXattr(imaXattr, ima.hashAlgorithm);
    const bytes = await this.parts.hashPool.digest({
      namespace: caller.scope,
      node: node ?? 0,
      version: 0,
      algorithm,
      fd,
      shared: false,
      leased: false,
    });
    const found = { algorithm, bytes };
    return (
      appraiseMeasurement({ found, imaXattr, isNew: false, sizeBytes: file.size }).status === 'PASS'
    );
  }
}
