/**
 * One audit record as a list of fields, and its two renderings: the kernel's line and JSON. Field
 * order and quoting are those of integrity_audit_message() (security/integrity/integrity_audit.c) and
 * ima_audit_measurement() (ima_api.c), with mnt_ns= where the namespace patches of 2017 put it.
 */
import { pathBytes } from '../base/path-bytes.js';

/** include/uapi/linux/audit.h: AUDIT_INTEGRITY_DATA, _STATUS, _PCR, _RULE, _POLICY_RULE. */
export type AuditType = 1800 | 1802 | 1804 | 1805 | 1807;

/**
 * How a value is written. `bare`: as it is (numbers and words of ours). `untrusted`: chosen by
 * others, so quoted, or hex if it holds a byte that could forge a field. `quoted`: quoted as it is.
 */
export type Field = { readonly key: string; readonly operator?: '=' | '<' | '>' } & (
  | { readonly form: 'bare' | 'quoted'; readonly value: string | number }
  | { readonly form: 'untrusted'; readonly value: Uint8Array }
);

export interface AuditRecord {
  readonly type: AuditType;
  /** Counts from 1 in each run of the daemon; gaps do not occur. */
  readonly serial: number;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly fields: readonly Field[];
}

export const bare = (key: string, value: string | number): Field => ({ key, form: 'bare', value });

export const untrusted = (key: string, value: Uint8Array | string): Field => ({
  key,
  form: 'untrusted',
  value: typeof value === 'string' ? pathBytes(value) : value,
});

/** audit_string_contains_control() and audit_log_n_hex() of kernel/audit.c. */
export const untrustedString = (bytes: Uint8Array): string => {
  const mustHide = bytes.some((byte) => byte === 0x22 || byte < 0x21 || byte > 0x7e);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return mustHide ? text.toString('hex').toUpperCase() : `"${text.toString('latin1')}"`;
};

const fieldText = (field: Field): string =>
  `${field.key}${field.operator ?? '='}${valueText(field)}`;

const valueText = (field: Field): string => {
  switch (field.form) {
    case 'bare':
      return String(field.value);
    case 'quoted':
      return `"${field.value}"`;
    case 'untrusted':
      return untrustedString(field.value);
  }
};

/** `type=1800 audit(SECONDS.mmm:SERIAL): key=value ...` with its newline, as kauditd prints it. */
export const kernelLine = (record: AuditRecord): string => {
  const seconds = Math.floor(record.timeMs / 1000);
  const millis = String(Math.floor(record.timeMs) % 1000).padStart(3, '0');
  const fields = record.fields.map(fieldText).join(' ');
  return `type=${record.type} audit(${seconds}.${millis}:${record.serial}): ${fields}\n`;
};

/** The same fields as one flat JSON object; untrusted bytes as UTF-8 text; `uid<5` has the key `uid<`. */
export const jsonRecord = (record: AuditRecord): Record<string, string | number> => {
  const entries = record.fields.map((field): [string, string | number] => [
    field.operator === undefined || field.operator === '=' ? field.key : field.key + field.operator,
    field.form === 'untrusted' ? Buffer.from(field.value).toString() : field.value,
  ]);
  return {
    type: record.type,
    serial: record.serial,
    timeMs: record.timeMs,
    ...Object.fromEntries(entries),
  };
};
