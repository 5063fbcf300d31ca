/**
 * The kernel's name of a super block (s_id), which audit records give as dev=: the block device's
 * name, or the file system's type where there is no block device.
 */
import { readFile, readlink } from 'node:fs/promises';

/** Port: st_dev as "major:minor" -> s_id. Never rejects. */
export type DeviceName = (device: string) => Promise<string>;

/** File system type of the first mount with this device in /proc/self/mountinfo (proc(5)). */
const mountedType = async (device: string): Promise<string | undefined> => {
  const mounts = await readFile('/proc/self/mountinfo', 'latin1').catch(() => '');
  const line = mounts.split('\n').find((mount) => mount.split(' ')[2] === device);
  return line?.split(' - ')[1]?.split(' ')[0];
};

const findName = async (device: string): Promise<string> => {
  const link = await readlink(`/sys/dev/block/${device}`).catch(() => undefined);
  if (link !== undefined) return link.slice(link.lastIndexOf('/') + 1);
  // Files of overlayfs may have device numbers that no mount has: the number itself then.
  return (await mountedType(device)) ?? device;
};

/** Names are kept: a device number below one mount means the same super block while it is mounted. */
export const createDeviceName = (): DeviceName => {
  const known = new Map<string, Promise<string>>();
  return (device) => {
    const name = known.get(device) ?? findName(device);
    known.set(device, name);
    return name;
  };
};
