/** What an ELF file's first page says; nothing here trusts an offset or a length it reads. */

const PT_INTERP = 3;
/** The fixed part of a 32-bit header, the shorter of the two. */
const EHDR32_BYTES = 52;
const EHDR64_BYTES = 64;

/** Whether the content begins like an ELF object: program, library, module or core. */
export function isElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
}

/**
 * The interpreter's path (PT_INTERP), `/lib64/ld-linux-x86-64.so.2`; undefined if the object names no
 * absolute one, is malformed, or keeps the path beyond `head`.
 */
export function interpreterPath(head: Uint8Array): string | undefined {
  const is64 = head[4] === 2;
  if (!isElf(head) || head.length < (is64 ? EHDR64_BYTES : EHDR32_BYTES)) {
    return undefined;
  }
  const little = head[5] !== 2;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const word = (at: number): number =>
    is64 ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);

  const tableOffset = word(is64 ? 32 : 28);
  const entryBytes = view.getUint16(is64 ? 54 : 42, little);
  const entries = view.getUint16(is64 ? 56 : 44, little);
  if (entryBytes < (is64 ? 56 : 32)) {
    return undefined;
  }
  for (let index = 0; index < entries; index += 1) {
    const at = tableOffset + index * entryBytes;
    if (at + entryBytes > head.length) {
      return undefined;
    }
    if (view.getUint32(at, little) === PT_INTERP) {
      return pathAt(head, word(at + (is64 ? 8 : 4)), word(at + (is64 ? 32 : 16)));
    }
  }
  return undefined;
}

/** load_elf_binary demands a NUL-terminated path; without one there is no interpreter. */
function pathAt(head: Uint8Array, offset: number, sizeBytes: number): string | undefined {
  if (sizeBytes < 2 || offset + sizeBytes > head.length) {
    return undefined;
  }
  const field = head.subarray(offset, offset + sizeBytes);
  const end = field.indexOf(0);
  const path = new TextDecoder().decode(field.subarray(0, Math.max(end, 0)));
  return path.startsWith('/') ? path : undefined;
}
