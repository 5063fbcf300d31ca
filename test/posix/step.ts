/** One step of a case: operations of xt, or a shell command, below a directory `$D`. */
export interface Step {
  readonly xt?: string;
  readonly sh?: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** Cases by what they show. The bare file system is the expectation, so a case names none. */
export type Cases = Readonly<Record<string, readonly Step[]>>;

export const xt = (operations: string, uid = 0, gid = uid): Step => ({ xt: operations, uid, gid });
export const sh = (command: string, uid = 0): Step => ({ sh: command, uid });

export const USER = 1000;
