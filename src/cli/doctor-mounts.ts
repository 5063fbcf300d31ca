import type { MountLine } from '../base/mountinfo.js';
import type { Finding } from './doctor-checks.js';
import { listFindings } from './doctor-tpm.js';
import { ANSWER_HINTS, NO_ANSWER, statusOf } from './mount-answer.js';
import { MOUNT_OPTIONS } from './mount-option-table.js';
import { type MountProbe, probeMount } from './mount-probe.js';
import type { Status } from './mount-status.js';
import { IMAFS_TYPE, readMountTable } from './mount-table.js';
import { detachDead } from './unmount.js';
import { UserError } from './user-error.js';

/** Every imafs mount: is it served, and how do its files and lists stand? */
export async function mountFindings(
  control: string = MOUNT_OPTIONS.control.default,
): Promise<Finding[]> {
  const findings = allMounts().map(async (mount) =>
    findingsOf(mount, await probeMount(mount, control), control),
  );
  return (await Promise.all(findings)).flat();
}

/**
 * Detaches the mounts whose daemons are gone; what is mounted below them goes with them. One after the
 * other, and outer ones first, as they stand in the table: an inner one may be gone then.
 */
export async function cleanMounts(): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const mountpoint of new Set(allMounts().map((mount) => mount.mountpoint))) {
    const about = `mount ${mountpoint}`;
    try {
      const count = await detachDead(mountpoint);
      if (count === 0) continue;
      const times = count === 1 ? '' : `, ${count} of them`;
      findings.push({ about, severity: 'ok', message: `its daemon was gone: detached${times}` });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      findings.push({ about, severity: 'problem', message: error.message });
    }
  }
  return findings;
}

/** Also those of parts, which can be dead and in the way just as well. */
function allMounts(): MountLine[] {
  return readMountTable().filter(({ type }) => type === IMAFS_TYPE);
}

function findingsOf(mount: MountLine, probe: MountProbe, control: string): Finding[] {
  const { mountpoint } = mount;
  const about = `mount ${mountpoint}`;
  switch (probe.state) {
    case 'dead': {
      const remedy = `imafs umount ${mountpoint}, or mount it anew, or imafs doctor --clean`;
      return [{ about, severity: 'problem', message: 'its daemon is gone', remedy }];
    }
    case 'silent': {
      const message = `its daemon ${NO_ANSWER}`;
      return [{ about, severity: 'problem', message, remedy: ANSWER_HINTS.join('; ') }];
    }
    case 'unreachable':
    case 'served':
      // A part has no control tree.
      if (mount.root !== '/') return [];
      try {
        return servedFindings(mountpoint, about, statusOf(mount, probe, control));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return [{ about, severity: 'note', message: error.message }];
      }
  }
}

function servedFindings(mountpoint: string, about: string, report: Status): Finding[] {
  const { mount } = report;
  const lists = (mount?.namespaces ?? [report]).flatMap((namespace) =>
    listFindings(mountpoint, namespace),
  );
  const crashed = mount?.unsettled.filter(({ reason }) => reason === 'crash') ?? [];
  const unseen: Finding[] = mount?.transport.leases === false ? [withoutLeases(about)] : [];
  if (crashed.length === 0) {
    return [{ about, severity: 'ok', message: 'served' }, ...unseen, ...lists];
  }
  const unsettled = crashed.map(
    ({ path }): Finding => ({
      about,
      severity: 'problem',
      message: `${path} was being written when a daemon died: its label is not up to date`,
      remedy: `check the file, then: imafs label hash ${mountpoint}${path}`,
    }),
  );
  return [...unsettled, ...unseen, ...lists];
}

function withoutLeases(about: string): Finding {
  const message =
    'leases say nothing about its backing: no passthrough, and who writes below the mount is not seen';
  return { about, severity: 'note', message };
}
