/**
 * One open of a regular file, from native's question to the answer: settle writers, find the policies
 * that judge the caller, ask each of them, and write down what came of it.
 */
import type { AuditLog } from '../audit/audit-log.js';
import { errnoNumber } from '../base/errno.js';
import { FileMoved } from '../base/file-moved.js';
import type { OpenAnswer, OpenUpcall } from '../binding/addon-types.js';
import { interpreterPath, isElf } from '../ima/elf.js';
import { type HookCall, hooksOfOpen, type MmapCheck } from '../ima/hooks-of-open.js';
import type { Judge, Registry } from '../namespaces/registry.js';
import type { AttributesHandler } from './attributes.js';
import type { Denials } from './denials.js';
import type { Firmware } from './firmware.js';
import { type Judgement, type JudgeParts, type JudgeRecords, judgeOpen, pathFor } from './judge.js';
import { isForWriting, isTruncating } from './open-flags.js';
import { OpenedFile, type OpenedFileParts } from './opened-file.js';
import { ProgramNames } from './program-names.js';
import type { Settled, Settling } from './settling.js';

export interface OpenParts
  extends Omit<OpenedFileParts, 'addon' | 'transport'>,
    Omit<JudgeParts, 'addon' | 'transport' | 'settling' | 'registry'> {
  readonly addon: OpenedFileParts['addon'] & JudgeParts['addon'];
  readonly transport: OpenedFileParts['transport'] & JudgeParts['transport'];
  readonly registry: Pick<Registry, 'judges' | 'known'>;
  readonly settling: Pick<
    Settling,
    | 'settle'
    | 'settlePatiently'
    | 'begin'
    | 'writersOwn'
    | 'writersSince'
    | 'hasWriterOf'
    | 'vouched'
  >;
  readonly audit: Pick<AuditLog, 'forAccess'>;
  readonly denials: Pick<Denials, 'record'>;
  readonly attributes: Pick<AttributesHandler, 'note'>;
  readonly mmapCheck: MmapCheck;
  readonly firmware: Firmware;
}

/** How often a file that changes while it is read is read again. */
const MOST_ATTEMPTS = 3;

/** `name`: the caller's once what it executes is loaded. */
type NamedOpen = OpenUpcall & { readonly name: string | undefined };

export class OpenHandler {
  readonly #programNames = new ProgramNames();

  constructor(private readonly parts: OpenParts) {}

  async handle(asked: OpenUpcall): Promise<OpenAnswer> {
    const upcall = { ...asked, name: asked.exec ? this.#programNames.take(asked) : undefined };
    const judges = await this.parts.registry.judges(upcall.caller);
    for (const { scope } of judges.slice(0, 1)) scope.counters.opens += 1;

    const { file, judgement } = await this.#judgeSettled(judges, upcall);
    await this.#writeAudit(judgement.audit, upcall);
    if (judgement.refusal !== undefined) return this.#refuse(judgement.refusal, upcall);

    if (upcall.name !== undefined) this.#programNames.leads(upcall, upcall.name, file.head);
    if (isTruncating(upcall.flags) && !upcall.created) {
      this.parts.attributes.note({ ...upcall, truncated: true }, judges);
    }
    if (judgement.isVouchedFor) this.parts.settling.vouched(upcall.node, upcall.file.ino);
    if (isForWriting(upcall.flags)) {
      const { mayLabel, wantsLabel } = judgement;
      await this.parts.settling.begin({ upcall, judges, mayLabel, wantsLabel });
    }
    return {
      errno: 0,
      remember: judgement.cacheable && file.mayKeep,
      successor: await this.#successorOf(upcall, file),
    };
  }

  /** Judges the file once its writers are settled, if they can be. */
  async #judgeSettled(judges: readonly Judge[], upcall: NamedOpen): Promise<Judged> {
    const settled = await this.parts.settling.settle(upcall.node, upcall.fd);
    const judged = await this.#judgeUnmoved(judges, upcall, settled);
    if (judged.judgement.refusal === undefined || settled.state !== 'busy') return judged;
    // Before anybody is refused because of a writer, that one gets a moment to be gone.
    const again = await this.parts.settling.settlePatiently(upcall.node, upcall.fd);
    return again.state === 'busy' ? judged : this.#judgeUnmoved(judges, upcall, again, true);
  }

  /** Judges the file anew if it changed while it was read. */
  async #judgeUnmoved(
    judges: readonly Judge[],
    upcall: NamedOpen,
    settled: Settled,
    wasBusy = false,
  ): Promise<Judged> {
    let file = await this.#fileAfter(upcall, settled, wasBusy);
    const { name } = upcall;
    const audit: JudgeRecords[] = [];
    for (let attempt = 1; ; attempt += 1) {
      file.acceptsMove = attempt === MOST_ATTEMPTS;
      const hooks = hooksOf(upcall, file, this.parts).map((it) => ({
        ...it,
        comm: commAt(it, name),
      }));
      try {
        const judgement = await judgeOpen(judges, hooks, file, upcall, this.parts, audit);
        return { file, judgement };
      } catch (error) {
        if (!(error instanceof FileMoved)) throw error;
        for (const { records } of audit) records.dropJudgement();
      }
      const now = { hasWriter: mayHaveWriter(upcall, settled), isNew: file.isMarkedNew };
      file = await OpenedFile.asNow(upcall, now, this.parts);
    }
  }

  async #fileAfter(upcall: OpenUpcall, settled: Settled, wasBusy: boolean): Promise<OpenedFile> {
    const hasWriter = mayHaveWriter(upcall, settled);
    if (settled.state !== 'settled' && !wasBusy) {
      return OpenedFile.asSent(upcall, hasWriter, this.parts);
    }
    const file = await OpenedFile.asNow(upcall, { hasWriter, isNew: false }, this.parts);
    if (settled.state !== 'settled' || settled.digest === undefined) return file;
    if (settled.version === file.version) file.know(settled.digest);
    return file;
  }

  async #refuse(
    refusal: NonNullable<Judgement['refusal']>,
    upcall: OpenUpcall,
  ): Promise<OpenAnswer> {
    const { judge, hook, verdict } = refusal;
    await this.parts.denials.record({
      operation: operationOf(upcall),
      judge: judge.namespace,
      scope: judge.scope,
      caller: upcall.caller,
      path: upcall.path,
      hook: hook.hook,
      cause: verdict.cause,
      errno: verdict.errno,
      rule: verdict.rule,
      found: verdict.found,
      wanted: verdict.wanted,
    });
    return { errno: errnoNumber(verdict.errno), remember: false, successor: undefined };
  }

  /**
   * The kernel opens a program's ELF interpreter next, which is no program of its own. Only the very
   * path that the program names, as its caller sees it, is taken for it: whoever then executes that
   * file instead could have it loaded as the interpreter just as well.
   */
  async #successorOf(upcall: OpenUpcall, { head }: OpenedFile): Promise<string | undefined> {
    if (!upcall.exec || upcall.succeeding || !isElf(head)) return undefined;
    const interpreter = interpreterPath(head);
    if (interpreter === undefined) return undefined;
    const root = await this.parts.paths.ofCaller(upcall.caller.tid, '/');
    const below = root === '/' ? '' : root;
    return interpreter.startsWith(`${below}/`) ? interpreter.slice(below.length) : undefined;
  }

  /** Records are on their way to the sinks before the open is answered. */
  async #writeAudit(audit: readonly JudgeRecords[], upcall: OpenUpcall): Promise<void> {
    for (const { judge, records } of audit) {
      if (records.isEmpty) continue;
      const access = this.parts.audit.forAccess({
        namespace: judge.scope.name,
        caller: upcall.caller,
        path: await pathFor(judge.namespace, upcall, this.parts.paths),
        device: upcall.file.device,
        ino: upcall.file.ino,
      });
      records.releaseTo(access);
      await access.settled();
    }
  }
}

interface Judged {
  readonly file: OpenedFile;
  readonly judgement: Judgement;
}

/** An exec maps the new program under its name already (begin_new_exec). */
const commAt = ({ hook }: HookCall, name: string | undefined): string | undefined =>
  hook.startsWith('MMAP_CHECK') ? name : undefined;

/** With a lease granted, a handle may still be on its way to be released, or to be opened. */
const mayHaveWriter = ({ writers }: OpenUpcall, { state }: Settled): boolean =>
  state === 'busy' || writers > 0;

const hooksOf = (
  { flags, exec, succeeding, path, caller, nameless }: OpenUpcall,
  { head }: OpenedFile,
  { mmapCheck, firmware, paths }: Pick<OpenParts, 'mmapCheck' | 'firmware' | 'paths'>,
): readonly HookCall[] => {
  // do_tmpfile ends without the hooks of do_open.
  if (nameless) return [];
  const name = path.slice(path.lastIndexOf('/') + 1);
  const isFirmware = firmware.isRead(paths.ofSystem(path), caller);
  return hooksOfOpen({ flags, exec, succeeding, head, name, isFirmware, mmapCheck });
};

const operationOf = ({ exec, flags }: OpenUpcall): 'read' | 'write' | 'execute' => {
  if (exec) return 'execute';
  return isForWriting(flags) ? 'write' : 'read';
};
