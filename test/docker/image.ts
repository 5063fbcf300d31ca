/**
 * Root file systems for the containers, as far as that goes without a registry: what the image of
 * docker/Dockerfile installs is this machine's own /usr, read-only, and what it adds is copied as there.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { PROJECT } from '../helpers/project.js';

/** What an image says about its containers. */
export interface ImageFacts {
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly healthcheck: readonly string[] | undefined;
}

export interface Image extends ImageFacts {
  /** Directory that becomes the root. */
  readonly root: string;
  /** Directories that it shows at other places than their own, read-only: [source, destination]. */
  readonly shown: readonly (readonly [string, string])[];
}

/** `FROM debian`: nothing besides the machine's packages. */
export function debianImage(directory: string): Image {
  return { ...makeImage(directory), environment: {}, entrypoint: [], healthcheck: undefined };
}

/** Target `daemon` of docker/Dockerfile; what its build stage puts in /installed is /usr/local. */
export function daemonImage(directory: string): Image {
  const image = makeImage(directory);
  execFileSync(`${PROJECT}.ci/install-files`, [directory, '/usr/local', '/usr/local/sbin'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const scripts = join(directory, 'usr/local/libexec/imafs');
  cpSync(`${PROJECT}docker/scripts`, scripts, { recursive: true });
  copyFileSync(`${PROJECT}docker/entrypoint.sh`, join(scripts, 'entrypoint.sh'));
  return { ...image, ...daemonFacts() };
}

function makeImage(directory: string): Pick<Image, 'root' | 'shown'> {
  const local = join(directory, 'usr/local');
  mkdirSync(local, { recursive: true });
  const root = join(directory, 'root');
  for (const name of ['dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'usr', 'var/lib']) {
    mkdirSync(join(root, name), { recursive: true });
  }
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(`usr/${name}`, join(root, name));
  for (const name of ['passwd', 'group', 'ld.so.cache']) {
    copyFileSync(`/etc/${name}`, join(root, 'etc', name));
  }
  const shown = [
    ['/usr', '/usr'],
    [local, '/usr/local'],
  ] as const;
  return { root, shown };
}

/** What the daemon stage of the Dockerfile says, in the forms that it uses. */
function daemonFacts(): ImageFacts {
  const text = readFileSync(`${PROJECT}docker/Dockerfile`, 'utf8');
  const stage = /^FROM .* AS daemon$(.*?)(?=^FROM|$(?![\s\S]))/ms.exec(text)?.[1] ?? '';
  const said = (instruction: string): string => {
    const found = new RegExp(`^${instruction} (.*)$`, 'm').exec(stage)?.[1];
    if (found === undefined) throw new Error(`the daemon's stage has no ${instruction}`);
    return found;
  };
  const pairs = said('ENV').split(' ');
  const check = said('HEALTHCHECK').replace(/^(--\S+ )*CMD /, '');
  return {
    environment: Object.fromEntries(pairs.map((pair) => pair.split('='))) as Record<string, string>,
    entrypoint: JSON.parse(said('ENTRYPOINT')) as string[],
    healthcheck: ['/bin/sh', '-c', check],
  };
}
