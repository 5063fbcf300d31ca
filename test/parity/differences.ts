/**
 * Where imafs answers otherwise than the captured kernel, case by case, and why. A case that is not
 * named here answers as the kernel does; one that is named and no longer differs fails the test.
 *
 * Of the first kind the newest kernel's answer is demanded (captured/newer.jsonl), of the second our
 * own (captured/ours.jsonl). `node dist/test/parity/capture.js --listed` writes both anew.
 */
import { FUNCS, OLD_FUNCS } from './cases/policy-lines.js';

export interface Difference {
  readonly why: string;
  readonly cases: readonly string[];
  /** Now and then the answer is the kernel's nevertheless. */
  readonly isOccasional?: boolean;
}

/** The kernel that stands for the newest. */
export const NEWEST = '7.3';

const line = (text: string): string => `line ${JSON.stringify(text)}`;

const each = (heads: readonly string[], tails: readonly string[]): string[] =>
  heads.flatMap((head) => tails.map((tail) => head + tail));

/** Versions differ, and the newest wins. */
export const NEWER: readonly Difference[] = [
  {
    why: 'dont_audit came with 6.18',
    cases: ['', ...OLD_FUNCS, ...FUNCS]
      .map((func) => line(`dont_audit${func && ` func=${func}`}`))
      .concat(line('dont_audit fowner=1')),
  },
  {
    why: 'fs_subtype= came with 6.19',
    cases: ['fs_subtype=x', 'fs_subtype=x fs_subtype=y', 'fsname=fuse fs_subtype=x'].map((it) =>
      line(`measure ${it}`),
    ),
  },
  {
    why: 'a comment may follow a rule',
    cases: [
      'func=FILE_CHECK # a comment',
      'func=FILE_CHECK #a comment',
      '# a comment func=BOGUS',
    ].map((it) => line(`measure ${it}`)),
  },
  {
    why: 'appraise_type=sigv3 stands by itself since 7.1, and before or behind digest_type=',
    cases: [
      'appraise_type=sigv3',
      'func=MODULE_CHECK appraise_type=sigv3',
      'appraise_type=sigv3 digest_type=verity',
      'appraise_type=imasig digest_type=verity',
    ].map((it) => line(`appraise ${it}`)),
  },
  {
    why: 'signatures of version 3 over plain files came with 7.1',
    cases: [
      ...each(['type 03 version 03 and garbage, '], ['read', 'written', 'executed']),
      ...each(['fix: type 03 version 03 and garbage, '], ['read', 'written']),
      'appraised: security.ima set to a signature of version 3',
    ],
  },
  {
    why: 'CREDS_CHECK is run on the program that a script leads to, no longer on the script',
    cases: [
      ...each(['measure', 'appraise', 'audit'], [' CREDS_CHECK: a text executed']),
      'script and interpreter measured by CREDS',
      'script and interpreter appraised by CREDS, the script wrong',
    ],
  },
];

const ALGORITHMS = [
  'md5',
  'sha1',
  'rmd160',
  'sha256',
  'sha384',
  'sha512',
  'sha224',
  'sha3-256',
  'sha3-384',
  'sha3-512',
  'a SHA-1 of type 01',
];

/** appraise_algos= and the algorithm of a label that is not among them. */
const DENIED = ['sha256', 'sha256,sha512', 'sha512', 'sha1,md5'].flatMap((list) =>
  ALGORITHMS.filter(
    (it) => !list.split(',').includes(it.replace('a SHA-1 of type 01', 'sha1')),
  ).map((it) => `appraise_algos=${list} and ${it}`),
);

const MMAP_HOOKS = ['MMAP_CHECK', 'MMAP_CHECK_REQPROT'];

/** On purpose, or because a file system in user space cannot see it. */
export const OURS: readonly Difference[] = [
  {
    why: 'an algorithm byte that no kernel knows is an invalid hash; the kernel takes ima_hash= for it (DESIGN 5)',
    cases: ['23', '24', '48', '127', '255'].map(
      (id) => `a SHA-256 labelled algorithm ${id}, set and read`,
    ),
  },
  {
    why: 'the captured kernel is built with Whirlpool, which OpenSSL leaves out; one without refuses it as we do',
    cases: [
      ...['11', '12', '13'].map((id) => `a SHA-256 labelled algorithm ${id}, set and read`),
      line('appraise appraise_algos=wp512'),
      line('appraise func=SETXATTR_CHECK appraise_algos=wp512'),
    ],
  },
  {
    why: 'mmap(2) is not seen: opening an ELF object to read stands for mapping it, and nothing else does',
    cases: [
      ...each(
        ['measure', 'appraise', 'audit'].flatMap((action) =>
          MMAP_HOOKS.map((hook) => `${action} ${hook}: `),
        ),
        ['a program read', 'a program mapped to be read', 'a text mapped to be executed'],
      ),
      ...MMAP_HOOKS.map((hook) => `appraise ${hook}: a program mapped to be executed`),
      ...each(
        ['not measured for reading, measured else', 'measured for exec, not else'],
        [': read', ': read by a user'],
      ),
    ],
  },
  {
    why: 'a program that may not be mapped is refused when it is opened, not killed when it is loaded',
    cases: each(
      MMAP_HOOKS.map((hook) => `appraise ${hook}: a program executed`),
      ['', ' by a user', ' by its descriptor'],
    ),
  },
  {
    why: 'a file with several names goes by the one looked up last (DESIGN 5); which that is, caches decide',
    isOccasional: true,
    cases: [
      ...each(
        ['measured reads', 'measured opens', 'measured and appraised'],
        [': a reader of one name, a writer of the other'],
      ),
      'measured opens: a writer of one name, a reader of the other',
      'appraised when read: written through a second name',
    ],
  },
  {
    why: 'the kernel leaves the label as it was if a reader hashed the file behind the last write (ima_detect_file_change)',
    cases: [
      ...each(
        ['hashed, and appraised when read: '],
        [
          'written while read, before the end',
          'made, and read while open',
          'given another mode between being written and read by its writer',
          'given to an owner of no rule after a read, while open, and read again',
        ],
      ),
      ...each(
        ['appraised: ', 'log, appraised: ', 'hashed, and appraised when read: '],
        ['truncated by its writer before that reads it'],
      ),
    ],
  },
  {
    why: 'the kernel leaves the label as it was if somebody was refused while the writer had it open (ima_file_status)',
    cases: [
      'appraised: truncated by opening, and opened again',
      'appraised: made without a name, and opened again before the end',
    ],
  },
  {
    why: 'the kernel cannot hash by the descriptor of a writer with O_DIRECT, and leaves a label that is wrong',
    cases: ['O_DIRECT, appraised: truncated by it', 'O_DIRECT, hashed: truncated by it'],
  },
  {
    why: 'the kernel forgets that a file is to be labelled when a writer leaves it as it was (IMA_HASHED without IMA_UPDATE_XATTR)',
    cases: ['hashed and measured: opened for writing, and then written'],
  },
  {
    why: 'the kernel takes what nothing has hashed yet for unchanged on tmpfs, where i_version begins with 0, and does not label it',
    cases: ['tmpfs, hashed: made and written', 'tmpfs, appraised: made without a name'],
  },
  {
    why: 'the kernel appraises by a digest of another algorithm than the label names, if that was collected for the template of old',
    cases: ['measured by the template of old, then appraised by a label of another algorithm'],
  },
  {
    why: 'the kernel appraises and measures what a writer has changed by the digest from before; we hash it',
    cases: ['measured, written, and appraised before the end'],
  },
  {
    why: 'the kernel keeps a pass before it looks at appraise_algos=, so that only the first access is refused; we refuse each',
    cases: [
      ...DENIED,
      ...each(
        ['', 'log, ', 'fix, '],
        ['signed: appraise_algos=sha512 and a signature over sha256'],
      ),
      'fix: appraise_algos=sha512 and a file that is made',
    ],
  },
  {
    why: 'EVM of the captured kernel has no keys, and so no opinion; ours verifies portable signatures',
    cases: ['security.evm set to a portable signature'],
  },
  {
    why: 'ids are unsigned; from 2^31 on the kernel shows them as negative, and cannot read them back',
    cases: ['uid', 'euid', 'gid', 'egid', 'fowner', 'fgroup'].flatMap((id) =>
      ['<4294967294', '=2147483648'].map((to) => `loaded ${JSON.stringify(`measure ${id}${to}`)}`),
    ),
  },
  {
    why: 'the kernel logs the words of a rule raw; ours are encoded like all that a user wrote',
    cases: [line('measure func=FILE_CHECK\r')],
  },
  {
    why: 'a write(2) through FUSE cannot return more than it was given, as the kernel does where no newline ends it',
    cases: [
      'a rule without a newline',
      'a rule without a newline that is loaded',
      'nothing by a write',
    ],
  },
  {
    why: 'control files are streams, without offsets (DESIGN 6)',
    cases: ['a write at an offset', 'a write at offset 0 after another'],
  },
  {
    why: 'each FLUSH after a write commits, for shells dup(2) and close before they write (DESIGN 6)',
    cases: ['a write by a duplicate'],
  },
  {
    why: 'an end with nothing written is none (DESIGN 6)',
    cases: ['opened and closed', 'a comment alone'],
  },
  {
    why: 'securityfs lets root open what nobody can write, and says EACCES of a file to be made',
    cases: ['the lists cannot be written', 'no file is made beside the policy'],
  },
  {
    why: 'no signature is ever written over, one of type 06 in fix mode either',
    cases: [
      'type 06 and a digest',
      'type 06 and a byte',
      'type 06 alone',
      ...['00', '01', '02', '03', '04', 'ff'].map((it) => `type 06 version ${it} and garbage`),
    ]
      .flatMap((label) => each([`fix: ${label}`], [', read', ', written']))
      .concat(
        each(
          ['fix: any label wanted, ', 'fix: imasig wanted, ', 'fix: sigv3 wanted, '],
          ['rsa2048 of type 06', 'rsa2048 of version 3 and type 06'],
        ),
      ),
  },
  {
    why: 'ctime is part of what tells one version of a file from another: it is looked at again, and measured under its new name or label',
    cases: [
      'a renamed file is not measured again',
      'a second name is not measured again',
      'a new label by another algorithm',
      'a label taken away',
      'audited: read, given another mode, and read again',
    ],
  },
  {
    why: 'an audit record with a digest of zeros would say something of a file that was not hashed',
    cases: each(['O_DIRECT, audited: '], ['read', 'read twice', 'read after', 'written']),
  },
  {
    why: 'the last newline of a policy file may be missing (the README of the 2017 patches relies on it)',
    cases: ['a policy without a newline by its path'],
  },
];

/** What should be as the kernel has it and is not yet: goes when none of the cases differs any more. */
export const PENDING: readonly { readonly why: string; readonly cases: RegExp }[] = [];
