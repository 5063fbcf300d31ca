/** One step of a case: operations of xt, or a shell command, below a directory `$D`. */
export interface Step {
  readonly xt?: string;
  readonly sh?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** By root of a user namespace, whose ids 0 to 65535 are 100000 and on outside. */
  readonly container?: boolean;
}

/** Cases by what they show. The bare file system is the expectation, so a case names none. */
export type Cases = Readonly<Record<string, readonly Step[]>>;

export const xt = (operations: string, uid = 0, gid = uid): Step => ({ xt: operations, uid, gid });
export const sh = (command: string, uid = 0): Step => ({ sh: command, uid });

export const inContainer = (step: Step): Step => ({ ...step, container: true });

export const USER = 1000;
/** The root of containers, as the host sees it. */
export const CONTAINER_ROOT = 100_000;
