/** Measures what is no file: by every policy that judges whoever gives it, and that of whom it is for. */
import type { AuditLog } from '../audit/audit-log.js';
import type { Caller } from '../binding/addon-types.js';
import {
  type MeasuredBuffer,
  processBufferMeasurement,
} from '../ima/process-buffer-measurement.js';
import { subjectsOf } from './caller.js';
import { LIMITS, type Namespace } from './namespace.js';
import type { Registry } from './registry.js';

export interface BufferMeasurementsParts {
  readonly registry: Pick<Registry, 'judges'>;
  readonly audit: Pick<AuditLog, 'forAccess'>;
}

/** Of an entry besides its name and its data: digests, lengths, what is kept of it in memory. */
const ENTRY_BYTES = 512;

export class BufferMeasurements {
  /** In the system's list, by owning uid. They never leave it. */
  readonly #foreignBytes = new Map<number | undefined, number>();

  constructor(private readonly parts: BufferMeasurementsParts) {}

  /** False if it must be measured somewhere and could not be. */
  async measure(namespace: Namespace, caller: Caller, buffer: MeasuredBuffer): Promise<boolean> {
    const judges = await this.parts.registry.judges(caller);
    const all = new Set([...judges.map((judge) => judge.namespace), namespace]);
    for (const judge of all) {
      const isForeign = judge.isSystem && !namespace.isSystem;
      const told = isForeign ? this.#foreign(namespace, buffer) : buffer;
      if (!(await this.measureBy(judge, caller, told))) return false;
    }
    return true;
  }

  /** By the policy of one namespace alone. */
  async measureBy(judge: Namespace, caller: Caller, buffer: MeasuredBuffer): Promise<boolean> {
    const audit = this.parts.audit.forAccess({
      namespace: judge.name,
      caller,
      path: buffer.eventName,
      device: undefined,
      ino: undefined,
    });
    const causes = await Promise.all(
      subjectsOf(caller).map((subject) =>
        processBufferMeasurement(judge.ima, audit, subject, buffer),
      ),
    );
    await audit.settled();
    const cause = causes.find((one) => one !== undefined);
    if (cause === undefined) return true;
    judge.record('list', { unmeasured: buffer.eventName, cause });
    return false;
  }

  /** As the system's list has it: a container names its events as it likes, and may make many. */
  #foreign(namespace: Namespace, buffer: MeasuredBuffer): MeasuredBuffer {
    const uid = namespace.owner?.rootUid;
    const size = ENTRY_BYTES + Buffer.byteLength(buffer.eventName) + buffer.bytes.length;
    return {
      ...buffer,
      eventName: `mnt-ns=${namespace.name}:${buffer.eventName}`,
      mayBeAdded: () => {
        const bytes = (this.#foreignBytes.get(uid) ?? 0) + size;
        if (bytes > LIMITS.foreignBufferBytes) return false;
        this.#foreignBytes.set(uid, bytes);
        return true;
      },
    };
  }
}
