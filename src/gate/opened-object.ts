import type { ObjectFacts } from '../ima/ports.js';

/**
 * What policy conditions look at of an opened file. Its label is read once, and only for policies that look
 * at it: it is no property of its own.
 */
export class OpenedObject implements ObjectFacts {
  readonly uid: number;
  readonly gid: number;
  readonly fsMagic: number;
  readonly fsName: string;
  readonly fsUuid: string | undefined;
  readonly fsSubtype: string | undefined;
  readonly #readLabel: () => string | undefined;
  #label: { readonly text: string | undefined } | undefined;

  constructor(facts: Omit<ObjectFacts, 'label'>, readLabel: () => string | undefined) {
    const { uid, gid, fsMagic, fsName, fsUuid, fsSubtype } = facts;
    this.uid = uid;
    this.gid = gid;
    this.fsMagic = fsMagic;
    this.fsName = fsName;
    this.fsUuid = fsUuid;
    this.fsSubtype = fsSubtype;
    this.#readLabel = readLabel;
  }

  get label(): string | undefined {
    this.#label ??= { text: this.#readLabel() };
    return this.#label.text;
  }
}
