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
import { type Demands, matchPolicy } from '../ima/policy/match-policy.js';
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
  readonly fileSystem: Pick<ObjectFacts, 'fsMagic' | 'fsName' | 'fsSubtype' | 'fsUuid'>;
  /** An extended attribute by descriptor, undefined where there is none. */
  readonly readXattr: (fd: number, name: string) => Uint8Array | undefined;
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
      const demands = this.#demands(judge, request);
      for (const demand of demands) {
        if (!(await this.#passes(judge, request, demand))) return 'EACCES';
      }
      if (demands.length === 0) continue;
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

  /** What the policy demands of a writing open, for each subject it appraises. */
  #demands({ ima, subjects }: Judge, request: LabelRequest): Demands[] {
    const object = this.#object(request);
    if (ima.mode !== 'enforce') return [];
    return subjects.flatMap((subject) => {
      const query = { hook: 'FILE_CHECK', mask: MAY_WRITE, subject, object } as const;
      const decision = matchPolicy(ima.policy, query, new Set(['appraise']));
      return decision.appraise === undefined ? [] : [decision.demands];
    });
  }

  /** ima_appraise_measurement, of the file as it is. */
  async #passes({ ima }: Judge, request: LabelRequest, demands: Demands): Promise<boolean> {
    const { caller, opened } = request;
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
    const object = this.#object(request);
    const appraised = {
      imaXattr,
      sizeBytes: file.size,
      object,
      mode: file.mode,
      xattr: (name: string) => this.parts.readXattr(fd, name),
    };
    const { keyring } = ima;
    const isNew = false;
    const appraisal = appraiseMeasurement({
      file: appraised,
      isNew,
      found,
      demands,
      keyring,
      modsig: undefined,
    });
    return appraisal.status === 'PASS' && !appraisal.isSigned;
  }
}
