/** Lines of /proc/PID/mountinfo, proc_pid_mountinfo(5). */
export interface MountLine {
  /** The kernel's name of this very mount, as in /proc/PID/fdinfo; free again once it is gone. */
  readonly id: number;
  /** st_dev of the mounted file system, major:minor. */
  readonly device: string;
  /** Which directory of it is mounted, "/" unless it is a bind mount of one below. */
  readonly root: string;
  readonly mountpoint: string;
  /** Name of the file system's type, "ext4". */
  readonly type: string;
  /** What was mounted: a device, for imafs the backing directory. */
  readonly source: string;
  /** Options of the super block, as the file system shows them. */
  readonly superOptions: readonly string[];
}

/** `text` read as latin1: names may hold any bytes. In the order of mounting. */
export const parseMountinfo = (text: string): MountLine[] =>
  text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ', 2);
    const [id, , device, root, mountpoint] = before.split(' ');
    const [type, source, superOptions] = after.split(' ');
    if (device === undefined || root === undefined || mountpoint === undefined) return [];
    if (type === undefined || source === undefined || superOptions === undefined) return [];
    return [
      {
        id: Number(id),
        device,
        root: unescape(root),
        mountpoint: unescape(mountpoint),
        type,
        source: unescape(source),
        superOptions: superOptions.split(','),
      },
    ];
  });

/** The mount that an absolute path without symlinks lies on: of those above it the nearest, latest. */
export const mountOfPath = (mounts: readonly MountLine[], path: string): MountLine | undefined =>
  mounts
    .filter(({ mountpoint }) => isBelow(path, mountpoint))
    .reduce<MountLine | undefined>(
      (nearest, mount) =>
        nearest === undefined || mount.mountpoint.length >= nearest.mountpoint.length
          ? mount
          : nearest,
      undefined,
    );

/** Whether `path` is `directory` or lies below it; both absolute. */
export const isBelow = (path: string, directory: string): boolean =>
  directory === '/' || path === directory || path.startsWith(`${directory}/`);

/** mangle_path() of the kernel writes space, tab, newline, backslash and # as \ooo. */
const unescape = (field: string): string =>
  Buffer.from(
    field.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    ),
    'latin1',
  ).toString();
