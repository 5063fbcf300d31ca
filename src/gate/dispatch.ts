/**
 * Takes what native asks and hands each upcall to its handler. The one barrier against our own faults
 * stands here: whatever a handler throws, its request is refused, logged once with the stack, counted.
 */
import { errnoNumber } from '../base/errno.js';
import type { Log } from '../base/log.js';
import type {
  ForgottenUpcall,
  NativeTransport,
  OpenUpcall,
  Upcall,
  VirtualAnswer,
  VirtualUpcall,
} from '../binding/addon-types.js';
import type { Namespace } from '../namespaces/namespace.js';
import type { AttributesHandler } from './attributes.js';
import type { DigestCache } from './digest-cache.js';
import type { OpenHandler } from './open.js';
import type { Settling } from './settling.js';
import type { XattrHandler } from './xattr.js';

export interface DispatchParts {
  readonly transport: Pick<
    NativeTransport,
    'takeUpcalls' | 'finishOpen' | 'finish' | 'finishVirtual'
  >;
  readonly open: Pick<OpenHandler, 'handle'>;
  readonly xattr: Pick<XattrHandler, 'read' | 'change'>;
  readonly attributes: Pick<AttributesHandler, 'changed'>;
  readonly settling: Pick<Settling, 'flushed' | 'released'>;
  readonly digests: Pick<DigestCache, 'forget'>;
  readonly controlTree: { serve(upcall: VirtualUpcall): Promise<VirtualAnswer> };
  readonly namespaces: () => readonly Namespace[];
  /** The transport ended; no upcall follows. */
  readonly ended: (error: string | undefined) => void;
  readonly log: Log;
}

/** Upcalls taken in one go. */
const BATCH = 64;

export class Dispatch {
  #faults = 0;

  constructor(private readonly parts: DispatchParts) {}

  /** Requests refused because of a fault of ours. */
  get faults(): number {
    return this.#faults;
  }

  /** Called when native has something to ask. */
  readonly wake = (): void => {
    let upcalls: readonly Upcall[];
    do {
      upcalls = this.parts.transport.takeUpcalls(BATCH);
      for (const upcall of upcalls) this.#route(upcall);
      // Until none is left: a batch may be shorter or longer than asked for while more wait.
    } while (upcalls.length > 0);
  };

  #route(upcall: Upcall): void {
    const { transport, xattr, attributes, settling, controlTree } = this.parts;
    switch (upcall.kind) {
      case 'open':
        this.#answerOpen(upcall);
        break;
      case 'flush':
        this.#answer(
          upcall,
          settling.flushed(upcall.node).then(() => 0),
        );
        break;
      case 'xattr-read':
        this.#answer(upcall, xattr.read(upcall));
        break;
      case 'xattr-change':
        this.#answer(upcall, xattr.change(upcall));
        break;
      case 'attributes':
        this.#answer(upcall, attributes.changed(upcall));
        break;
      case 'released':
        settling.released(upcall.node);
        break;
      case 'forgotten':
        this.#forget(upcall);
        break;
      case 'virtual':
        this.#barrier(upcall, controlTree.serve(upcall), { errno: errnoNumber('EIO') }, (answer) =>
          transport.finishVirtual(upcall.id, answer),
        );
        break;
      case 'ended':
        this.parts.ended(upcall.error);
        break;
      default:
        upcall satisfies never;
    }
  }

  #answerOpen(upcall: OpenUpcall): void {
    const refused = { errno: errnoNumber('EACCES'), remember: false, successor: undefined };
    this.#barrier(upcall, this.parts.open.handle(upcall), refused, (answer) =>
      this.parts.transport.finishOpen(upcall.id, answer),
    );
  }

  #answer(upcall: Upcall & { readonly id: number }, errno: Promise<number>): void {
    this.#barrier(upcall, errno, errnoNumber('EIO'), (known) =>
      this.parts.transport.finish(upcall.id, known),
    );
  }

  /** Answers with what the handler says, or with `refused` if it fails. */
  #barrier<Answer>(
    upcall: Upcall,
    work: Promise<Answer>,
    refused: Answer,
    answer: (known: Answer) => void,
  ): void {
    work
      .catch((error: unknown) => {
        this.#faults += 1;
        this.parts.log.error({ err: error, upcall: upcall.kind }, 'refused because of a fault');
        return refused;
      })
      .then(answer)
      .catch((error: unknown) => {
        // Answering failed: the transport is gone, and its end is reported by itself.
        this.parts.log.error({ err: error, upcall: upcall.kind }, 'no answer could be given');
      });
  }

  #forget({ nodes }: ForgottenUpcall): void {
    this.parts.digests.forget(nodes);
    for (const namespace of this.parts.namespaces()) namespace.forgetNodes(nodes);
  }
}
