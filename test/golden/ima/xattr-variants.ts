/**
 * Appraisal of files with all sorts of security.ima, as Linux 6.1 to 7.3 judged them under
 * `appraise fowner=1000` in enforce mode. `{sha256}` stands for the right digest of the content.
 * `ours` is set where imafs decides otherwise, on purpose.
 */
export interface XattrVariant {
  readonly name: string;
  /** hex, undefined: no xattr */
  readonly xattr: string | undefined;
  readonly kernel: 'allowed' | { readonly cause: string };
  readonly ours?: 'allowed' | { readonly cause: string };
}

const SHA256_OF_OTHER = 'd9a5a5b8a1e8d3f1c9b2a3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728';
const invalidHash = { cause: 'invalid-hash' };

export const xattrVariants: readonly XattrVariant[] = [
  { name: '04 04 and the right sha256', xattr: '0404{sha256}', kernel: 'allowed' },
  { name: '01 and the right sha1', xattr: '01{sha1}', kernel: 'allowed' },
  { name: '01 and the right md5', xattr: '01{md5}', kernel: 'allowed' },
  { name: '04 02 and the right sha1', xattr: '0402{sha1}', kernel: 'allowed' },
  { name: '04 05 and the right sha384', xattr: '0405{sha384}', kernel: 'allowed' },
  { name: '04 06 and the right sha512', xattr: '0406{sha512}', kernel: 'allowed' },
  { name: 'two bytes behind the digest', xattr: '0404{sha256}aabb', kernel: 'allowed' },
  { name: '04 ff', xattr: '04ff{sha256}', kernel: 'allowed', ours: invalidHash },
  { name: '04 30', xattr: '0430{sha256}', kernel: 'allowed', ours: invalidHash },
  { name: 'another sha256', xattr: `0404${SHA256_OF_OTHER}`, kernel: invalidHash },
  { name: 'another sha1', xattr: `01${SHA256_OF_OTHER.slice(0, 40)}`, kernel: invalidHash },
  { name: '20 bytes of sha256', xattr: `0404${'00'.repeat(20)}`, kernel: invalidHash },
  { name: '04 04 alone', xattr: '0404', kernel: invalidHash },
  { name: '04 alone', xattr: '04', kernel: invalidHash },
  { name: '04 02 and a sha256', xattr: '0402{sha256}', kernel: invalidHash },
  { name: 'none', xattr: undefined, kernel: { cause: 'missing-hash' } },
  { name: 'type 00', xattr: '00{sha256}', kernel: { cause: 'unknown-ima-data' } },
  { name: 'type 02', xattr: '02{sha1}', kernel: { cause: 'unknown-ima-data' } },
  { name: 'type 05', xattr: '0504{sha256}', kernel: { cause: 'unknown-ima-data' } },
  { name: '03 04', xattr: '0304{sha256}', kernel: { cause: 'invalid-signature-version' } },
  { name: '06 04', xattr: '0604{sha256}', kernel: { cause: 'invalid-signature-version' } },
  {
    name: '03, version 2, no key',
    xattr: '0302040000000000ff00deadbeef',
    kernel: { cause: 'invalid-signature' },
  },
];
