import { nearestWord } from '../nearest-word.js';
import { isDoAction, type Rule } from '../rule.js';
import { showRule } from '../show-rule.js';
import type { BackingFacts, Finding, Linted } from './finding.js';
import { calls, runs } from './hooks-that-run.js';
import { idRange, isEmptyRange } from './id-range.js';
import { matchesCall } from './matches-call.js';

const IDS = ['uid', 'euid', 'gid', 'egid', 'fowner', 'fgroup'] as const;

/** Magics of file systems that people protect (include/uapi/linux/magic.h). */
const MAGIC_OF: Readonly<Record<string, number>> = {
  ext2: 0xef53,
  ext3: 0xef53,
  ext4: 0xef53,
  xfs: 0x58465342,
  btrfs: 0x9123683e,
  tmpfs: 0x01021994,
  ramfs: 0x858458f6,
  overlay: 0x794c7630,
  squashfs: 0x73717368,
  erofs: 0xe0f5e1e2,
  vfat: 0x4d44,
  nfs: 0x6969,
  nfs4: 0x6969,
  proc: 0x9fa0,
  sysfs: 0x62656572,
  fuse: 0x65735546,
};

/** Keyrings that kernels have (keyrings= takes any name). */
const KEYRINGS = ['.ima', '.blacklist', '.builtin_trusted_keys', '.secondary_trusted_keys'].concat([
  '.platform',
  '.machine',
  '.evm',
  '_ima',
  '_evm',
  '_module',
]);

/** Rules that nothing ever matches. */
export function neverMatches({ policy, backing }: Linted): Finding[] {
  return policy.rules.flatMap((rule) => {
    const message = contradiction(rule);
    if (message !== undefined) {
      const remedy = 'leave the rule out, or one of these conditions';
      return [{ severity: 'error', code: 'unreachable', rule, message, remedy }];
    }
    return [...hookThatNeverRuns(rule), ...otherFileSystem(rule, backing), ...oddKeyrings(rule)];
  });
}

function contradiction(rule: Rule): string | undefined {
  const { func, mask, fsname, fsmagic, fs_subtype } = rule;
  const empty = IDS.find((name) => rule[name] && isEmptyRange(idRange(rule[name])));
  if (empty) {
    return `no id is below 0, so that ${empty}<0 never holds`;
  }
  // What KEXEC_* and the like have for a mask is not for imafs to say.
  if (
    mask &&
    (func === undefined || runs(func)) &&
    !calls.some((call) => matchesCall(rule, call))
  ) {
    const word = showRule({ action: 'measure', mask, source: '', line: 0 }).split(' ')[1];
    return func === undefined
      ? `${word} alone is the mask of no access`
      : `${func} never has ${word}: it runs with ${masksOf(rule)}`;
  }
  const magic = fsname === undefined ? undefined : MAGIC_OF[fsname];
  if (magic !== undefined && fsmagic !== undefined && fsmagic !== magic) {
    return `fsname=${fsname} has fsmagic=0x${magic.toString(16)}, not 0x${fsmagic.toString(16)}`;
  }
  if (fs_subtype !== undefined && fsname !== undefined && !/^fuse/.test(fsname)) {
    return `only FUSE file systems have a subtype, and fsname=${fsname} is none`;
  }
  return undefined;
}

const MASK_WORDS = ['MAY_EXEC', 'MAY_WRITE', 'MAY_READ', 'MAY_APPEND'];

function masksOf({ func }: Rule): string {
  const bits = calls.filter(({ hook }) => hook === func).reduce((sum, { mask }) => sum | mask, 0);
  return MASK_WORDS.filter((_, index) => (bits & (1 << index)) !== 0).join(', ');
}

function hookThatNeverRuns(rule: Rule): Finding[] {
  const { func } = rule;
  if (func === undefined || runs(func)) {
    return [];
  }
  const message = `imafs never runs ${func}: nothing of it is seen by a file system`;
  const remedy = "leave the rule to the policy of the kernel's own IMA";
  return [{ severity: 'note', code: 'hook-never-run', rule, message, remedy }];
}

/** Exceptions for file systems that are not there do no harm: lists of them are copied around. */
function otherFileSystem(rule: Rule, backing: BackingFacts | undefined): Finding[] {
  if (!backing || !isDoAction(rule.action)) {
    return [];
  }
  const { fsMagic, fsName, fsSubtype, fsUuid } = backing;
  const found = [
    ['fsmagic', rule.fsmagic, fsMagic, `0x${fsMagic.toString(16)}`],
    ['fsname', rule.fsname, fsName, fsName],
    ['fs_subtype', rule.fs_subtype, fsSubtype, fsSubtype ?? 'none'],
    ['fsuuid', rule.fsuuid, fsUuid, fsUuid ?? 'none'],
  ] as const;
  return (
    found
      // Not every file system has, or tells, its UUID.
      .filter(
        ([name, wanted, is]) => wanted !== undefined && wanted !== is && (name !== 'fsuuid' || is),
      )
      .map(([name, , , is]) => ({
        severity: 'error',
        code: 'other-file-system',
        rule,
        message: `the directory to be protected is on another file system: its ${name} is ${is}`,
        remedy: `leave ${name}= out, or write ${name}=${is}`,
      }))
  );
}

function oddKeyrings(rule: Rule): Finding[] {
  const odd = rule.keyrings?.find((name) => !KEYRINGS.includes(name));
  if (odd === undefined) {
    return [];
  }
  const nearest = nearestWord(odd, KEYRINGS);
  const remedy = nearest ? `did you mean ${nearest}?` : `the kernel's are ${KEYRINGS.join(', ')}`;
  const message = `no keyring of the kernel is called ${odd}`;
  return [{ severity: 'note', code: 'unknown-keyring', rule, message, remedy }];
}
