import type { Command, OptionSpec } from './command.js';
import { bashCompletion } from './completion.js';
import { EXIT } from './exit-codes.js';
import { columns } from './help.js';
import type { StartDaemon } from './mount.js';
import { MOUNT_OPTIONS, type MountOptionSpec } from './mount-option-table.js';

const ANY_NUMBER = Number.POSITIVE_INFINITY;

/** For verbs that talk to a daemon whose mount has another control= than the default. */
const CONTROL: OptionSpec = {
  type: 'string',
  value: 'NAME',
  help: "name of the control tree, if mounted with control=NAME (default '.ima')",
};

const NS: OptionSpec = {
  type: 'string',
  value: 'NSID',
  help: 'number of the mount namespace (default: your own)',
};

const RECURSIVE: OptionSpec = {
  type: 'boolean',
  short: 'r',
  help: 'go into directories (on one file system)',
};

const ALGORITHM: OptionSpec = {
  type: 'string',
  short: 'a',
  value: 'NAME',
  help: 'hash algorithm by its kernel name (default sha256)',
};

const DRY_RUN: OptionSpec = {
  type: 'boolean',
  short: 'n',
  help: 'say what would be done, and write nothing',
};

const JOBS: OptionSpec = {
  type: 'string',
  value: 'N',
  help: 'files at once (default: as many as there are CPUs)',
};

/**
 * The command table: parsing, help, completion and CLI.md's list of verbs come from here. A verb's
 * module is loaded when it runs.
 */
export function commandTable(startDaemon: StartDaemon): readonly Command[] {
  const commands: Command[] = [
    {
      name: 'mount',
      summary: 'put BACKING under IMA at MOUNTPOINT (the same directory will do)',
      operands: 'BACKING MOUNTPOINT',
      fewest: 2,
      most: 2,
      options: {
        options: {
          type: 'string',
          short: 'o',
          multiple: true,
          value: 'K=V,...',
          help: 'mount options, see below',
        },
        foreground: { type: 'boolean', help: 'stay, and log to stderr' },
        fake: { type: 'boolean', help: 'check everything, but do not mount' },
        verbose: { type: 'boolean', short: 'v', help: 'log more' },
      },
      details: ['mount options:', ...columns(mountOptionRows()), '', MOUNT_NOTE],
      run: async (invocation) => (await import('./mount.js')).mount(startDaemon, invocation),
    },
    {
      name: 'umount',
      summary: 'unmount, and wait until the daemon is gone (or take away a dead mount)',
      operands: 'MOUNTPOINT',
      fewest: 1,
      most: 1,
      options: { control: CONTROL },
      run: async (invocation) => (await import('./umount.js')).umount(invocation),
    },
    {
      name: 'status',
      summary: 'show mounts, their namespaces and counters',
      operands: '[MOUNTPOINT]',
      fewest: 0,
      most: 1,
      options: { control: CONTROL },
      run: async (invocation) => (await import('./status.js')).status(invocation),
    },
    {
      name: 'label hash',
      summary: 'set security.ima to the digest of each file',
      operands: 'PATH...',
      fewest: 1,
      most: ANY_NUMBER,
      options: {
        recursive: RECURSIVE,
        algorithm: ALGORITHM,
        'dry-run': DRY_RUN,
        jobs: JOBS,
        control: CONTROL,
      },
      run: async (invocation) => (await import('./label.js')).labelHash(invocation),
    },
    {
      name: 'label sign',
      summary: 'set security.ima to a signature of each file',
      operands: 'PATH...',
      fewest: 1,
      most: ANY_NUMBER,
      options: {
        key: {
          type: 'string',
          short: 'k',
          value: 'FILE',
          help: 'private key, RSA or EC, PEM or DER',
        },
        'passphrase-file': { type: 'string', value: 'FILE', help: "whose first line is the key's" },
        cert: { type: 'string', value: 'FILE', help: "certificate that has the key's id" },
        keyid: { type: 'string', value: 'HEX', help: 'id to name the key by' },
        recursive: RECURSIVE,
        algorithm: ALGORITHM,
        v3: { type: 'boolean', help: 'signature of version 3 (default 2; kernels from 7.1 on)' },
        veritysig: { type: 'boolean', help: 'sign the fs-verity digest' },
        'dry-run': DRY_RUN,
        jobs: JOBS,
        control: CONTROL,
      },
      run: async (invocation) => (await import('./label-sign.js')).labelSign(invocation),
    },
    {
      name: 'label clear',
      summary: 'remove security.ima',
      operands: 'PATH...',
      fewest: 1,
      most: ANY_NUMBER,
      options: { recursive: RECURSIVE, 'dry-run': DRY_RUN, jobs: JOBS, control: CONTROL },
      run: async (invocation) => (await import('./label.js')).labelClear(invocation),
    },
    {
      name: 'verify',
      summary: 'say whether security.ima of each file fits what it holds',
      operands: 'PATH...',
      fewest: 1,
      most: ANY_NUMBER,
      options: {
        recursive: RECURSIVE,
        keys: { type: 'string', value: 'DIR', help: 'certificates that are trusted, as keys=DIR' },
        signed: { type: 'boolean', help: 'let only signatures count' },
        jobs: JOBS,
        control: CONTROL,
      },
      run: async (invocation) => (await import('./verify.js')).verify(invocation),
    },
    {
      name: 'explain',
      summary: 'say what decides about a file, why it was refused, and what mends it',
      operands: 'PATH',
      fewest: 1,
      most: 1,
      options: {
        ns: {
          type: 'string',
          value: 'NSID',
          help: 'show the rules for that mount namespace (default: your own)',
        },
        control: CONTROL,
      },
      run: async (invocation) => (await import('./explain.js')).explain(invocation),
    },
    {
      name: 'policy check',
      summary: 'check policy files without loading them',
      operands: 'FILE...',
      fewest: 1,
      most: ANY_NUMBER,
      options: {},
      details: [POLICY_NOTE],
      run: async (invocation) => (await import('./policy-check.js')).policyCheck(invocation),
    },
    {
      name: 'policy lint',
      summary: 'find rules that never count, refuse too much, or protect nothing',
      operands: 'FILE...',
      fewest: 1,
      most: ANY_NUMBER,
      options: {
        backing: {
          type: 'string',
          value: 'DIR',
          help: 'the directory that is to be protected: compare rules with its file system',
        },
        control: CONTROL,
      },
      details: [POLICY_NOTE],
      run: async (invocation) => (await import('./policy-lint.js')).policyLint(invocation),
    },
    {
      name: 'policy test',
      summary: 'say what a policy would do to files, or which entries of a list it would make',
      operands: 'PATH|LIST...',
      fewest: 1,
      most: ANY_NUMBER,
      options: {
        policy: {
          type: 'string',
          short: 'p',
          value: 'FILE',
          help: 'what to test (default: the policy in force where PATH lies)',
        },
        recursive: RECURSIVE,
        access: {
          type: 'string',
          value: 'LIST',
          help: 'read,write,execute or some of them (default: all)',
        },
        uid: { type: 'string', value: 'N', help: 'as whom (default: yourself)' },
        gid: { type: 'string', value: 'N', help: 'with which group (default: your own)' },
        keys: { type: 'string', value: 'DIR', help: 'certificates to verify signatures with' },
        quiet: { type: 'boolean', short: 'q', help: 'show what is refused or unclear only' },
        control: CONTROL,
      },
      details: [POLICY_NOTE],
      run: async (invocation) => (await import('./policy-test.js')).policyTest(invocation),
    },
    {
      name: 'policy load',
      summary: 'load a policy file into a namespace',
      operands: 'MOUNTPOINT FILE',
      fewest: 2,
      most: 2,
      options: { ns: NS, control: CONTROL },
      run: async (invocation) => (await import('./policy.js')).policyLoad(invocation),
    },
    {
      name: 'policy show',
      summary: 'show the policy of a namespace',
      operands: 'MOUNTPOINT',
      fewest: 1,
      most: 1,
      options: { ns: NS, control: CONTROL },
      run: async (invocation) => (await import('./policy.js')).policyShow(invocation),
    },
    {
      name: 'ns ls',
      summary: 'list the activated mount namespaces',
      operands: 'MOUNTPOINT',
      fewest: 1,
      most: 1,
      options: { control: CONTROL },
      run: async (invocation) => (await import('./ns.js')).nsLs(invocation),
    },
    {
      name: 'ns add',
      summary: 'activate a mount namespace, by its number or a process in it',
      operands: 'MOUNTPOINT NSID|PID',
      fewest: 2,
      most: 2,
      options: { control: CONTROL },
      run: async (invocation) => (await import('./ns.js')).nsAdd(invocation),
    },
    {
      name: 'key ls',
      summary: 'list the keyrings of a namespace',
      operands: 'MOUNTPOINT',
      fewest: 1,
      most: 1,
      options: { ns: NS, control: CONTROL },
      run: async (invocation) => (await import('./key-ls.js')).keyLs(invocation),
    },
    {
      name: 'key add',
      summary: 'add certificates to .ima of a namespace',
      operands: 'MOUNTPOINT CERT...',
      fewest: 2,
      most: ANY_NUMBER,
      options: { ns: NS, control: CONTROL },
      run: async (invocation) => (await import('./key-add.js')).keyAdd(invocation),
    },
    {
      name: 'key check',
      summary: 'say whether certificates may enter .ima, and all reasons why not',
      operands: 'CERT...',
      fewest: 1,
      most: ANY_NUMBER,
      options: {
        keys: { type: 'string', value: 'DIR', help: 'against what keys=DIR would trust' },
        mount: { type: 'string', value: 'MOUNTPOINT', help: 'against the keyrings of a mount' },
        ns: NS,
        control: CONTROL,
      },
      run: async (invocation) => (await import('./key-check.js')).keyCheck(invocation),
    },
    {
      name: 'log show',
      summary: 'show a measurement list: of a namespace, or in a file of either form',
      operands: 'MOUNTPOINT|FILE',
      fewest: 1,
      most: 1,
      options: {
        ns: NS,
        bank: {
          type: 'string',
          value: 'NAME',
          help: "whose hashes: sha1, sha256, sha384, sha512 (default sha1, or the file's own)",
        },
        follow: { type: 'boolean', short: 'f', help: 'go on showing what is added' },
        control: CONTROL,
      },
      run: async (invocation) => (await import('./log-show.js')).logShow(invocation),
    },
    {
      name: 'log verify',
      summary: 'replay a measurement list against the PCRs it was extended into',
      operands: 'MOUNTPOINT|FILE',
      fewest: 1,
      most: 1,
      options: {
        ns: NS,
        pcrs: {
          type: 'string',
          multiple: true,
          value: 'BANK,FILE',
          help: 'for a FILE: PCRs of a bank, as evmctl or tpm2_pcrread write them',
        },
        control: CONTROL,
      },
      run: async (invocation) => (await import('./log-verify.js')).logVerify(invocation),
    },
    {
      name: 'run',
      summary:
        'run a command under IMA, in a namespace of its own; print what was measured as JSON',
      operands: 'BACKING -- COMMAND [ARGUMENT...]',
      fewest: 2,
      most: ANY_NUMBER,
      options: {
        options: {
          type: 'string',
          short: 'o',
          multiple: true,
          value: 'K=V,...',
          help: 'policy= and tpm= for the namespace, other mount options for the mount',
        },
      },
      details: [
        'policy=FILE or built-in names (default: no rules); tpm=swtpm|none|... (default swtpm).',
        "The command's output goes to stderr. Exit code 4 if anything was refused, else 3 if the",
        'command failed or its list does not replay.',
      ],
      run: async (invocation) => (await import('./run-command.js')).runCommand(invocation),
    },
    {
      name: 'doctor',
      summary: 'check this machine and its mounts',
      operands: '',
      fewest: 0,
      most: 0,
      options: {
        clean: { type: 'boolean', help: 'detach the mounts whose daemons are gone' },
        control: CONTROL,
      },
      run: async (invocation) => (await import('./doctor.js')).doctor(invocation),
    },
    {
      name: 'completion bash',
      summary: 'print a completion script',
      operands: '',
      fewest: 0,
      most: 0,
      options: {},
      run: ({ output }) => {
        const script = bashCompletion(commands);
        output.result('completion', { script }, script.trimEnd());
        return Promise.resolve(EXIT.ok);
      },
    },
  ];
  return commands;
}

const POLICY_NOTE =
  'FILE may be - for standard input, or the names of built-in policies, tcb|secure_boot.';

const MOUNT_NOTE =
  'Also taken, as by mount(8): ro rw nosuid nodev noexec suid dev exec, and words for fstab.';

function mountOptionRows(): [string, string][] {
  return Object.entries<MountOptionSpec>(MOUNT_OPTIONS).flatMap(
    ([name, { values, later, default: byDefault, help }]): [string, string][] => {
      // An option no value of which works yet is not offered.
      if (later === 'all' && typeof values === 'string') return [];
      const form = typeof values === 'string' ? `${name}=...` : `${name}=${values.join('|')}`;
      return [[form, `${help} (${byDefault})`]];
    },
  );
}
