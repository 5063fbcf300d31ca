/** Settings of a namespace, as written to its control files. Results are errno names; undefined is success. */
import { type ErrnoName, errnoOf } from '../base/errno.js';
import type { Log } from '../base/log.js';
import type { Caller } from '../binding/addon-types.js';
import { changeIma } from '../ima/ima.js';
import type { AppraiseMode } from '../ima/ports.js';
import { templateByName } from '../ima/template/template.js';
import type { Namespace } from './namespace.js';

export interface SettingsParts {
  readonly registry: { readonly system: Namespace; changedBy(judge: Namespace): void };
  /** Whether files can be hashed with a kernel algorithm. */
  readonly canHash: (algorithm: string) => boolean;
  /**
   * Gives a namespace's list another TPM; false if something was measured already. Rejects with an
   * Error, of the system's with `code`, that says what is wrong with it.
   */
  readonly changeTpm: (namespace: Namespace, tpm: string) => Promise<boolean>;
  /** Whether `auto` gives the machine's TPM. */
  readonly machineHasTpm: () => boolean;
  readonly log: Log;
}

const MODES: readonly AppraiseMode[] = ['off', 'log', 'fix', 'enforce'];

export class Settings {
  constructor(private readonly parts: SettingsParts) {}

  /** `mode`: off, log, fix or enforce. EINVAL for anything else. */
  setMode(namespace: Namespace, mode: string): ErrnoName | undefined {
    const known = MODES.find((one) => one === mode);
    if (known === undefined || namespace.isDead) return 'EINVAL';
    return this.#change(namespace, 'mode', mode, { mode: known });
  }

  /** `hash`: a kernel algorithm name. EINVAL for one nobody here can compute. */
  setHash(namespace: Namespace, algorithm: string): ErrnoName | undefined {
    if (!this.parts.canHash(algorithm) || namespace.isDead) return 'EINVAL';
    return this.#change(namespace, 'hash', algorithm, { hashAlgorithm: algorithm });
  }

  /** `template_name`: one of the kernel's templates, for what is measured from now on. */
  setTemplate(namespace: Namespace, name: string): ErrnoName | undefined {
    const template = templateByName(name);
    if (template === undefined || namespace.isDead) return 'EINVAL';
    return this.#change(namespace, 'template', name, { template });
  }

  /**
   * `tpm`: `auto` by the namespace's own root, anything else by the system alone (EPERM): what the
   * name of a TPM makes the daemon reach is not for a container to say. Nor is the machine's TPM for
   * who activated himself, who may be any user. EBUSY once something was measured; EINVAL for what
   * names no TPM; EIO for one that cannot be had.
   */
  async setTpm(namespace: Namespace, tpm: string, caller: Caller): Promise<ErrnoName | undefined> {
    const { registry, changeTpm, log } = this.parts;
    if (namespace.isDead) return 'EINVAL';
    const isSystem = caller.scope === registry.system.id;
    if (!isSystem && tpm !== 'auto') return 'EPERM';
    if (!namespace.isActive) return 'EINVAL';
    const isOwn = namespace.activation?.by === 'own-root';
    if (!isSystem && isOwn && this.parts.machineHasTpm()) return 'EPERM';
    // The list of the system and its TPM are those the mount began with.
    if (namespace.isSystem) return 'EBUSY';
    try {
      if (!(await changeTpm(namespace, tpm))) return 'EBUSY';
    } catch (error) {
      const problem = (error as Error).message;
      namespace.record('tpm', { tpm, problem });
      log.warn({ namespace: namespace.name, tpm, problem }, 'no TPM for a namespace');
      return errnoOf(error) ?? 'EIO';
    }
    namespace.record('tpm', { tpm });
    registry.changedBy(namespace);
    return undefined;
  }

  #change(
    namespace: Namespace,
    event: 'mode' | 'hash' | 'template',
    word: string,
    change: Parameters<typeof changeIma>[1],
  ): ErrnoName | undefined {
    changeIma(namespace.ima, change);
    namespace.record(event, { [event]: word });
    this.parts.registry.changedBy(namespace);
    return undefined;
  }
}
