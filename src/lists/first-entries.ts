/** The entry that begins a list, and the one that says that a list goes on. */
import { bufferEvent } from '../ima/buffer-event.js';
import { bootAggregate, bootBank, bootPcrs } from '../ima/list/boot-aggregate.js';
import type { ListEntry } from '../ima/list/entry.js';
import type { HashAlgorithm } from '../ima/ports.js';
import { entryOf } from '../ima/store-measurement.js';
import { templateByName } from '../ima/template/template.js';
import type { Tpm } from '../tpm/tpm.js';
import type { ListSettings } from './list-settings.js';
import type { MeasurementList } from './measurement-list.js';

type EntrySettings = Pick<ListSettings, 'template' | 'hashAlgorithm' | 'pcr'>;

/** Rejects with TpmFailed. */
export const bootEntry = async (
  { hashAlgorithm, template, pcr }: EntrySettings,
  tpm: Tpm,
): Promise<ListEntry> => {
  const bank = tpm.name === 'none' ? undefined : bootBank(tpm.banks, hashAlgorithm());
  const read = bank === undefined ? undefined : { bank, values: await bootValues(tpm) };
  return entryOf(template(), pcr, bootAggregate(hashAlgorithm(), read));
};

/** As the kernel records kexec: critical data, here of the daemon. */
export const restartEntry = (
  { hashAlgorithm, template, pcr }: EntrySettings,
  { count, violations }: MeasurementList,
): ListEntry => {
  const time = new Date().toISOString();
  const buffer = Buffer.from(`time=${time};entries=${count};violations=${violations};`);
  const event = bufferEvent('imafs_restart', buffer, hashAlgorithm());
  return entryOf(templateByName('ima-buf') ?? template(), pcr, event);
};

/** Of the PCRs that boot_aggregate is over, by bank. */
const bootValues = async (tpm: Tpm): Promise<ReadonlyMap<HashAlgorithm, Uint8Array[]>> => {
  const values = new Map<HashAlgorithm, Uint8Array[]>();
  for (const pcr of bootPcrs) {
    for (const [bank, value] of await tpm.read(pcr)) {
      values.set(bank, [...(values.get(bank) ?? []), value]);
    }
  }
  return values;
};
