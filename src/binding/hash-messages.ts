/** What hash-pool.ts and its workers say to each other. */
export type WorkerRequest =
  /** Read the next slice; the first one of an id begins the hash. */
  | {
      readonly kind: 'hash';
      readonly id: number;
      readonly fd: number;
      readonly algorithm: string;
      /** Of the file's beginning; undefined: all of it. */
      readonly sizeBytes: number | undefined;
      readonly leased: boolean;
    }
  | {
      readonly kind: 'xattr';
      readonly id: number;
      readonly fd: number;
      readonly name: string;
      readonly value: Uint8Array;
      readonly leased: boolean;
    };

export type WorkerReply =
  /** The slice is read and there is more. */
  | { readonly id: number; readonly state: 'more' }
  /** `digest` is empty for xattrs. */
  | { readonly id: number; readonly state: 'done'; readonly digest: Uint8Array }
  /** Somebody wants to write: nothing is known, nothing of ours is left on the file. */
  | { readonly id: number; readonly state: 'lease-broken' }
  | {
      readonly id: number;
      readonly state: 'failed';
      readonly message: string;
      readonly code: string | undefined;
    };
