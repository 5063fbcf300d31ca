/**
 * The one door to koffi: what imafs uses of tpm2-tss's ESAPI, as synchronous calls. For worker threads,
 * because each call lasts as long as the TPM takes. Return codes are TSS2_RC (tss2_common.h), out
 * parameters are read by their offsets in tss2_tpm2_types.h, which tss 3.2 and 4.1 share.
 */
import koffi from 'koffi';

const SUCCESS = 0;
const TPM2_CAP_PCRS = 5;
const ESYS_TR_PASSWORD = 0xff;
const ESYS_TR_NONE = 0xfff;
const POINTER_BYTES = 8;
/** TPML_PCR_SELECTION: count, then 16 of {hash u16, sizeofSelect u8, pcrSelect[4]}. */
const SELECTION_BYTES = 132;
const SELECTION_ENTRY_BYTES = 8;
/** TPML_DIGEST: count, then 8 of {size u16, buffer[64]}. */
const DIGESTS_BYTES = 532;
const DIGEST_ENTRY_BYTES = 66;
/** TPMS_TIME_INFO: time u64, clock u64, resetCount u32, restartCount u32, safe u8. */
const TIME_INFO_BYTES = 32;
const RESET_COUNT_OFFSET = 16;

/** PCRs of one bank: bit n of `select` is PCR n. */
export interface PcrSelection {
  readonly algorithm: number;
  readonly select: number;
}

/** A TSS2_RC other than TSS2_RC_SUCCESS. */
export class TssError extends Error {
  constructor(
    readonly call: string,
    readonly rc: number,
  ) {
    super(`${call}: ${describeRc(rc)}`);
    this.name = 'TssError';
  }
}

/** A shared library of tpm2-tss that is not there. */
export class TssMissing extends Error {
  constructor(library: string, cause: unknown) {
    super(
      `${library} cannot be loaded (Debian packages libtss2-esys-3.0.2-0, libtss2-tctildr0, libtss2-tcti-*)`,
      { cause },
    );
    this.name = 'TssMissing';
  }
}

const load = (library: string) => {
  try {
    return koffi.load(library);
  } catch (error) {
    throw new TssMissing(library, error);
  }
};

/** Arguments and a TSS2_RC. Pointers are bigints or, to what JavaScript owns, Buffers. */
type Call = (...parameters: readonly (bigint | number | string | Uint8Array | null)[]) => number;

const declare = () => {
  const loader = load('libtss2-tctildr.so.0');
  const esys = load('libtss2-esys.so.0');
  const sessions = 'uint32_t s1, uint32_t s2, uint32_t s3';
  return {
    tctiInitialize: loader.func(
      'uint32_t Tss2_TctiLdr_Initialize(const char *conf, void *out)',
    ) as unknown as Call,
    tctiFinalize: loader.func('void Tss2_TctiLdr_Finalize(void *context)') as unknown as Call,
    initialize: esys.func(
      'uint32_t Esys_Initialize(void *out, void *tcti, void *abi)',
    ) as unknown as Call,
    finalize: esys.func('void Esys_Finalize(void *context)') as unknown as Call,
    free: esys.func('void Esys_Free(void *pointer)') as unknown as Call,
    startup: esys.func('uint32_t Esys_Startup(void *context, uint16_t type)') as unknown as Call,
    getCapability: esys.func(
      `uint32_t Esys_GetCapability(void *context, ${sessions}, uint32_t capability, uint32_t property, uint32_t count, void *more, void *out)`,
    ) as unknown as Call,
    readClock: esys.func(
      `uint32_t Esys_ReadClock(void *context, ${sessions}, void *out)`,
    ) as unknown as Call,
    pcrRead: esys.func(
      `uint32_t Esys_PCR_Read(void *context, ${sessions}, void *wanted, void *updates, void *selection, void *values)`,
    ) as unknown as Call,
    pcrExtend: esys.func(
      `uint32_t Esys_PCR_Extend(void *context, uint32_t pcr, ${sessions}, void *digests)`,
    ) as unknown as Call,
  };
};

let declared: ReturnType<typeof declare> | undefined;
const tss = (): ReturnType<typeof declare> => (declared ??= declare());

/** Tss2_RC_Decode, where libtss2-rc is installed, else the number alone. */
const loadDecoder = (): ((rc: number) => string | undefined) => {
  try {
    const decode = koffi.load('libtss2-rc.so.0').func('const char *Tss2_RC_Decode(uint32_t rc)');
    return (rc) => decode(rc) as string;
  } catch {
    return () => undefined;
  }
};
let decoder: ReturnType<typeof loadDecoder> | undefined;

const describeRc = (rc: number): string => {
  decoder ??= loadDecoder();
  const text = decoder(rc);
  const number = `0x${rc.toString(16)}`;
  return text === undefined ? number : `${text} (${number})`;
};

const must = (call: string, rc: number): void => {
  if (rc !== SUCCESS) throw new TssError(call, rc);
};

const readSelections = (bytes: Buffer): PcrSelection[] =>
  Array.from({ length: bytes.readUInt32LE(0) }, (_, index) => {
    const entry = 4 + index * SELECTION_ENTRY_BYTES;
    const size = bytes.readUInt8(entry + 2);
    return {
      algorithm: bytes.readUInt16LE(entry),
      select: size === 0 ? 0 : bytes.readUIntLE(entry + 3, Math.min(size, 4)),
    };
  });

const writeSelections = (selections: readonly PcrSelection[]): Buffer => {
  const bytes = Buffer.alloc(SELECTION_BYTES);
  bytes.writeUInt32LE(selections.length, 0);
  selections.forEach(({ algorithm, select }, index) => {
    const entry = 4 + index * SELECTION_ENTRY_BYTES;
    bytes.writeUInt16LE(algorithm, entry);
    bytes.writeUInt8(3, entry + 2);
    bytes.writeUIntLE(select, entry + 3, 3);
  });
  return bytes;
};

/** One ESYS_CONTEXT over one TCTI. Every method but `close` throws TssError. */
export class Esys {
  readonly #tcti = Buffer.alloc(POINTER_BYTES);
  readonly #context = Buffer.alloc(POINTER_BYTES);
  readonly #out = Buffer.alloc(POINTER_BYTES);
  readonly #pointer: bigint;

  /** `conf`: library and configuration as tcti.ts builds them, nothing else. Throws TssMissing too. */
  constructor(conf: string) {
    must('Tss2_TctiLdr_Initialize', tss().tctiInitialize(conf, this.#tcti));
    const rc = tss().initialize(this.#context, this.#tcti.readBigUInt64LE(), null);
    if (rc !== SUCCESS) {
      tss().tctiFinalize(this.#tcti);
      throw new TssError('Esys_Initialize', rc);
    }
    this.#pointer = this.#context.readBigUInt64LE();
  }

  close(): void {
    tss().finalize(this.#context);
    tss().tctiFinalize(this.#tcti);
  }

  startup(type: number): void {
    must('Esys_Startup', tss().startup(this.#pointer, type));
  }

  /** Which PCRs each bank has. */
  pcrBanks(): PcrSelection[] {
    const none = ESYS_TR_NONE;
    const more = Buffer.alloc(1);
    const count = 16;
    must(
      'Esys_GetCapability',
      // biome-ignore format: one call
      tss().getCapability(this.#pointer, none, none, none, TPM2_CAP_PCRS, 0, count, more, this.#out),
    );
    // TPMS_CAPABILITY_DATA: capability u32, then the list.
    return readSelections(this.#take(4 + SELECTION_BYTES).subarray(4));
  }

  resetCount(): number {
    const none = ESYS_TR_NONE;
    must('Esys_ReadClock', tss().readClock(this.#pointer, none, none, none, this.#out));
    return this.#take(TIME_INFO_BYTES).readUInt32LE(RESET_COUNT_OFFSET);
  }

  /** What the TPM chose to return of `wanted` (at most 8 values a time), in its order. */
  pcrRead(wanted: readonly PcrSelection[]): { algorithm: number; value: Uint8Array }[] {
    const none = ESYS_TR_NONE;
    const selection = Buffer.alloc(POINTER_BYTES);
    must(
      'Esys_PCR_Read',
      // biome-ignore format: one call
      tss().pcrRead(this.#pointer, none, none, none, writeSelections(wanted), null, selection, this.#out),
    );
    const digests = this.#take(DIGESTS_BYTES);
    const returned = readSelections(take(selection, SELECTION_BYTES));
    return returned
      .filter(({ select }) => select !== 0)
      .slice(0, digests.readUInt32LE(0))
      .map(({ algorithm }, index) => {
        const entry = 4 + index * DIGEST_ENTRY_BYTES;
        const size = digests.readUInt16LE(entry);
        return { algorithm, value: Uint8Array.from(digests.subarray(entry + 2, entry + 2 + size)) };
      });
  }

  /** `digests`: from the first byte on as digest-values.ts lays them out. ESYS_TR_PCRn is n. */
  pcrExtend(pcr: number, digests: Uint8Array): void {
    const none = ESYS_TR_NONE;
    const rc = tss().pcrExtend(this.#pointer, pcr, ESYS_TR_PASSWORD, none, none, digests);
    must('Esys_PCR_Extend', rc);
  }

  #take(length: number): Buffer {
    return take(this.#out, length);
  }
}

/** Copies what an out parameter points to and frees it. */
const take = (out: Buffer, length: number): Buffer => {
  const pointer = out.readBigUInt64LE();
  const copy = Buffer.from(Buffer.from(koffi.view(pointer, length)));
  tss().free(pointer);
  return copy;
};
