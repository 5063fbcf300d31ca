import { decodeXattr, hashAlgorithmOfXattr } from '../ima/xattr/decode-xattr.js';
import { FileProblem } from '../labels/file-problem.js';
import type { NamedFile } from '../labels/named-file.js';
import { type ControlClient, controlClientOf } from './control-client.js';
import type { CrewSignals } from './crew-signals.js';
import { EXIT } from './exit-codes.js';
import type { DaemonHashTask, FileFacts, FileOutcome } from './file-task.js';
import { UserError } from './user-error.js';

/** Has the daemon of a live mount hash files, which decides, by its `label` of the control tree. */
export class DaemonHasher {
  readonly #client: ControlClient;

  constructor(
    private readonly task: DaemonHashTask,
    private readonly signals: CrewSignals,
  ) {
    // That the daemon answers was asked before.
    this.#client = controlClientOf(task.mountpoint, task.control);
  }

  hash(file: NamedFile): FileOutcome {
    const { operand, below } = this.task;
    const rest = file.path.slice(operand.length).replace(/^\/*/, '');
    const line = `hash ${rest === '' ? below : `${below}/${rest}`}`;
    if (line.includes('\n')) throw new FileProblem('has a newline in its name');
    const before = file.readLabel();
    this.#client.writeLines('self/label', [Buffer.from(line, 'latin1')], refusal);
    this.signals.addBytes(file.sizeBytes);
    const after = file.readLabel();
    const isSame = after !== undefined && before?.equals(after) === true;
    return { result: isSame ? 'unchanged' : 'labelled', ...shownDigest(after) };
  }
}

function refusal(code: string | undefined): UserError | undefined {
  return code === 'EACCES' || code === 'EPERM'
    ? new UserError(EXIT.problems, 'refused', 'the daemon refused: a policy forbids this label')
    : undefined;
}

/** `algorithm:hex` of a label that is a digest. */
function shownDigest(label: Buffer | undefined): FileFacts {
  const decoded = label === undefined ? undefined : decodeXattr(label);
  if (decoded?.kind !== 'digest') return {};
  // Of those without an algorithm byte the length tells; no daemon writes one that does not.
  const algorithm = hashAlgorithmOfXattr(label, 'sha256');
  return { digest: `${algorithm}:${Buffer.from(decoded.bytes).toString('hex')}` };
}
