import { Keyring } from '../ima/keyring/keyring.js';
import { noteOf, objectionsTo } from '../keys/admit.js';
import { type BlacklistEntry, parseBlacklistEntry } from '../keys/blacklist-file.js';
import type { Certificate } from '../keys/certificate.js';
import type { GivenOptions, Invocation } from './command.js';
import { connect } from './connect.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { demandNoneRefused, readKeyFiles } from './key-files.js';
import { type KeyReason, notACertificate, showVerdict } from './key-verdict.js';
import { readMountKeys } from './mount-keys.js';
import { systemKeys } from './system-keys.js';
import { UserError } from './user-error.js';

/** What certificates are checked against. */
interface Ground {
  readonly authorities: readonly Certificate[];
  /** In DER: what is in `.ima` already. */
  readonly trusted: readonly Uint8Array[];
  readonly keyring: Keyring;
  readonly remark: string | undefined;
}

/** `imafs key check`: whether certificates may enter `.ima`, and all reasons why not. */
export async function keyCheck({ operands, options, output }: Invocation): Promise<ExitCode> {
  const ground = await groundOf(options);
  let refused = 0;
  const files = readKeyFiles(operands);
  for (const file of files) {
    const { certificate } = file;
    const reasons = certificate.ok
      ? reasonsAgainst(certificate.value, ground)
      : [notACertificate(certificate.problem)];
    const note = certificate.ok ? notesOn(certificate.value, ground) : undefined;
    if (reasons.length > 0) refused += 1;
    showVerdict(output, 'admitted', file, reasons, note);
  }
  if (ground.remark !== undefined) output.note(`imafs: ${ground.remark}`);
  demandNoneRefused(refused, files.length);
  return EXIT.ok;
}

async function groundOf(options: GivenOptions): Promise<Ground> {
  const [directory, mount] = [options.text('keys'), options.text('mount')];
  if (directory !== undefined && mount !== undefined) {
    const message = 'certificates are checked against --keys or --mount, not both';
    throw new UserError(EXIT.usage, 'bad-options', message);
  }
  if (mount !== undefined) {
    const client = await connect(mount, options.text('control'));
    const keys = readMountKeys(client, options.text('ns') ?? client.ownNamespace());
    const blacklist = keys.blacklist.flatMap((line) => parseBlacklistEntry(line) ?? []);
    return groundFrom(
      keys.authorities,
      keys.trusted.map(({ der }) => der),
      blacklist,
    );
  }
  const { authorities, trusted, blacklist } = systemKeys(directory);
  return groundFrom(
    authorities,
    trusted.map(({ certificate }) => certificate),
    blacklist,
  );
}

function groundFrom(
  authorities: readonly Certificate[],
  trusted: readonly Uint8Array[],
  blacklist: readonly BlacklistEntry[],
): Ground {
  const keyring = new Keyring();
  for (const { kind, digest } of blacklist) keyring.addToBlacklist(kind, digest);
  const remark =
    authorities.length === 0
      ? 'there is no CA to have issued them: only the certificates themselves were checked'
      : undefined;
  return { authorities, trusted, keyring, remark };
}

/** What is in a keyring already has been admitted. */
function reasonsAgainst(certificate: Certificate, ground: Ground): readonly KeyReason[] {
  return isVouching(certificate, ground) || isIn(ground.trusted, certificate)
    ? []
    : objectionsTo(certificate, {
        authorities: ground.authorities,
        isBlacklisted: (kind, digest) => ground.keyring.isBlacklisted(kind, digest),
      });
}

function notesOn(certificate: Certificate, ground: Ground): string | undefined {
  const notes = [
    isVouching(certificate, ground)
      ? 'it is a CA of the system keyring: it vouches for keys'
      : undefined,
    noteOf(certificate, new Date()),
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? undefined : notes.join('; ');
}

function isVouching(certificate: Certificate, { authorities }: Ground): boolean {
  return isIn(
    authorities.map(({ der }) => der),
    certificate,
  );
}

function isIn(certificates: readonly Uint8Array[], { der }: Certificate): boolean {
  return certificates.some((one) => Buffer.compare(one, der) === 0);
}
