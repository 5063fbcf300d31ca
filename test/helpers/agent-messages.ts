/** What a test and the agent in another namespace say to each other over IPC. */

export interface StartMessage {
  readonly kind: 'start';
  readonly id: number;
  readonly words: readonly string[];
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly cwd: string | undefined;
  /** Give the process an IPC channel and relay what it says. */
  readonly ipc: boolean;
}

export type ToAgent =
  | StartMessage
  /** undefined: end of input */
  | { readonly kind: 'input'; readonly id: number; readonly text: string | undefined }
  /** To the process and all it started, which are a process group. */
  | { readonly kind: 'signal'; readonly id: number; readonly signal: NodeJS.Signals };

export type FromAgent =
  | { readonly kind: 'ready' }
  | { readonly kind: 'started'; readonly id: number; readonly pid: number }
  /** The program could not be executed; no 'ended' follows. */
  | { readonly kind: 'failed'; readonly id: number; readonly code: string }
  | { readonly kind: 'stdout' | 'stderr'; readonly id: number; readonly text: string }
  | { readonly kind: 'said'; readonly id: number; readonly message: unknown }
  | {
      readonly kind: 'ended';
      readonly id: number;
      readonly exit: number | null;
      readonly signal: string | null;
    };
