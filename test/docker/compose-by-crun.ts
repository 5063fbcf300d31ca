/**
 * docker/compose.yaml run by crun: the services become containers with the images' scripts, mounts,
 * capabilities and namespaces that the file names. The machine they run on is a mount and pid namespace
 * of the test's own, with which everything ends.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Namespace } from '../helpers/namespace.js';
import { PROJECT } from '../helpers/project.js';
import { describeOutcome, type Outcome, type Running } from '../helpers/running.js';
import { composeServices, type Service } from './compose-file.js';
import { containerConfig } from './container-config.js';
import { daemonImage, debianImage, type Image } from './image.js';

const UP_MS = 20_000;

export class ComposeByCrun {
  readonly #services = composeServices();
  readonly #running = new Map<string, Running>();
  readonly #images = new Map<string, Image>();

  private constructor(
    readonly root: string,
    /** What the containers' machine is. */
    readonly machine: Namespace,
  ) {}

  static async start(): Promise<ComposeByCrun> {
    const machine = await Namespace.start({ pid: true });
    const compose = new ComposeByCrun(mkdtempSync('/tmp/imafs-test-'), machine);
    try {
      await compose.#prepare();
      return compose;
    } catch (error) {
      await compose.stop();
      throw error;
    }
  }

  service(name: string): Service {
    const service = this.#services.get(name);
    if (service === undefined) throw new Error(`compose.yaml has no service ${name}`);
    return service;
  }

  /**
   * Where a path of the machine, one below docker/, or a volume is. Made if it is not there. Paths of
   * the test's own stay.
   */
  readonly find = (source: string): string => {
    if (source.startsWith('./')) return join(PROJECT, 'docker', source);
    if (source.startsWith(this.root)) return source;
    const path = source.startsWith('/') ? join('host', source) : join('volumes', source);
    mkdirSync(join(this.root, path), { recursive: true });
    return join(this.root, path);
  };

  /** Starts a service and what it depends on; each condition is awaited. */
  async up(name: string, override: Partial<Service> = {}, container = name): Promise<void> {
    const service = { ...this.service(name), ...override };
    for (const [other, condition] of service.dependsOn) {
      if (!this.#running.has(other)) await this.up(other);
      if (condition === 'service_healthy') await this.healthy(other);
      else await this.container(other).succeeds();
    }
    await this.#run(container, service);
  }

  container(name: string): Running {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} does not run`);
    return running;
  }

  /** Waits for what Docker calls healthy. */
  async healthy(name: string): Promise<void> {
    const service = this.service(name);
    const check = service.healthcheck ?? this.#images.get(service.image)?.healthcheck ?? [];
    const deadline = Date.now() + UP_MS;
    for (;;) {
      const outcome = await this.exec(name, check);
      if (outcome.exit === 0) return;
      const container = this.container(name);
      const ended = await Promise.race([container.ended, sleep(50)]);
      if (ended === undefined && Date.now() < deadline) continue;
      const said = container.stdout + container.stderr + describeOutcome(check, outcome);
      throw new Error(`${name} is not healthy: ${said}`);
    }
  }

  /** `docker compose exec`. */
  exec(name: string, words: readonly string[]): Promise<Outcome> {
    return this.#crun(['exec', name, ...words]);
  }

  /** `docker compose kill`, and takes it away. */
  async kill(name: string, signal: 'KILL' | 'TERM'): Promise<Outcome> {
    await this.#crun(['kill', name, signal]);
    const outcome = await this.container(name).ended;
    this.#running.delete(name);
    await this.#crun(['delete', '--force', name]);
    return outcome;
  }

  /** Its first process, as the machine counts. */
  async pid(name: string): Promise<number> {
    const outcome = await this.#crun(['state', name]);
    assert.equal(outcome.exit, 0, describeOutcome(['crun', 'state', name], outcome));
    return (JSON.parse(outcome.stdout) as { pid: number }).pid;
  }

  /** `docker compose down`: dependents first. What was left, in words. */
  async down(): Promise<string[]> {
    for (const name of [...this.#running.keys()].reverse()) await this.kill(name, 'TERM');
    const containers = await this.#crun(['list', '--quiet']);
    const mounts = await this.machine.ok(['cat', '/proc/self/mountinfo']);
    const host = join(this.root, 'host');
    const left = mounts
      .split('\n')
      .filter((line) => line.includes(this.root) && line.split(' ')[4] !== host);
    return [...containers.stdout.split('\n').filter((line) => line !== ''), ...left];
  }

  /** Ends the machine, whatever still runs on it. */
  async stop(): Promise<void> {
    await this.machine.stop();
    if (readFileSync('/proc/self/mountinfo', 'utf8').includes(this.root)) {
      throw new Error(`something is mounted below ${this.root}`);
    }
    rmSync(this.root, { recursive: true, force: true });
  }

  async #prepare(): Promise<void> {
    this.#images.set('imafs', daemonImage(join(this.root, 'image-imafs')));
    this.#images.set('debian:13-slim', debianImage(join(this.root, 'image-debian')));
    // A machine's / is a shared mount; here only what the compose file binds with propagation.
    const host = join(this.root, 'host');
    mkdirSync(host);
    await this.machine.ok(['mount', '--bind', host, host]);
    await this.machine.ok(['mount', '--make-rshared', host]);
    // crun refuses machines that have both kinds of cgroups.
    await this.machine.ok(['mount', '-t', 'cgroup2', 'cgroup2', '/sys/fs/cgroup']);
  }

  async #run(name: string, service: Service): Promise<void> {
    const image = this.#images.get(service.image);
    if (image === undefined) throw new Error(`${name}: no image ${service.image}`);
    const bundle = join(this.root, 'bundles', name);
    mkdirSync(bundle, { recursive: true });
    const config = containerConfig(service, image, this.find);
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
    const running = this.machine.start([...this.#command, 'run', '--bundle', bundle, name]);
    await running.pid;
    this.#running.set(name, running);
  }

  get #command(): string[] {
    const state = join(this.root, 'crun');
    if (!existsSync(state)) mkdirSync(state);
    return ['crun', '--root', state, '--cgroup-manager=disabled'];
  }

  #crun(words: readonly string[]): Promise<Outcome> {
    return this.machine.run([...this.#command, ...words]);
  }
}
