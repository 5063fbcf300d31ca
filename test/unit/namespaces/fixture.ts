/** A registry over fakes: namespaces that live, processes in them, and what native was told. */
import type {
  Caller,
  ProcessFacts,
  ProcessWalk,
  ScopeFacts,
} from '../../../src/binding/addon-types.js';
import type { NamespacePolicy } from '../../../src/daemon-options.js';
import { changeIma } from '../../../src/ima/ima.js';
import { parsePolicy } from '../../../src/ima/policy/parse-policy.js';
import { Policy } from '../../../src/ima/policy/policy.js';
import { Lineage } from '../../../src/namespaces/lineage.js';
import type { Namespace } from '../../../src/namespaces/namespace.js';
import { ProcessWalks } from '../../../src/namespaces/process-walks.js';
import { Registry } from '../../../src/namespaces/registry.js';
import { fakeIma } from '../../helpers/fake-list.js';
import { callerIn, SYSTEM } from '../../helpers/fake-transport.js';
import { policyMachine } from '../../helpers/policy-machine.js';

export const nameOf = (scope: bigint): number => Number(scope) + 1000;

export const processIn = (
  scope: bigint,
  pid: number,
  given: Partial<ProcessFacts> = {},
): ProcessFacts => ({
  pid,
  parent: 1,
  startTime: BigInt(pid) * 10n,
  scope,
  scopeName: nameOf(scope),
  userNamespace: 0xeffffffd,
  pidNamespace: 0xeffffffc,
  cgroup: '/',
  uid: 0,
  ...given,
});

export const policyOf = (...rules: string[]): Policy => {
  const parsed = parsePolicy(rules.join('\n'), 'test', policyMachine);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problem));
  return new Policy(parsed.value);
};

export class NamespaceFixture {
  readonly scopes = new Map<bigint, ScopeFacts>();
  readonly dead = new Set<bigint>();
  processes: ProcessFacts[] = [processIn(SYSTEM.scope, 1, { parent: 0 })];
  walksDone = 0;
  walksAreComplete = true;
  readonly removed: bigint[] = [];
  readonly addon = {
    namespaceOwner: () => ({ userNamespace: 0xeffffffd, rootUid: 0, rootGid: 0 }),
    walkProcesses: (): Promise<ProcessWalk> => {
      this.walksDone += 1;
      return Promise.resolve({ processes: this.processes, isComplete: this.walksAreComplete });
    },
  };
  readonly ids = {
    hold: () => true,
    release: () => undefined,
    namespaceLives: (scope: bigint): boolean => !this.dead.has(scope),
    needWalks: false,
  };
  readonly lineage = new Lineage(SYSTEM.scope);
  readonly walks = new ProcessWalks(this.addon);
  readonly registry: Registry;

  constructor(nsPolicy: NamespacePolicy = 'stack', ...systemRules: string[]) {
    const newIma = () => fakeIma();
    const transport = {
      setScope: (scope: bigint, facts: ScopeFacts) => void this.scopes.set(scope, facts),
      dropScope: (scope: bigint) => void this.scopes.delete(scope),
    };
    const { addon, ids, lineage, walks } = this;
    const removed = ({ id }: Namespace) => {
      this.removed.push(id);
      return Promise.resolve();
    };
    const ima = newIma();
    changeIma(ima, { policy: policyOf(...systemRules) });
    this.registry = new Registry(
      { addon, ids, transport, lineage, walks, nsPolicy, newIma, removed },
      { ...SYSTEM, owner: undefined, ima },
    );
  }

  caller(scope: bigint, given: Partial<Caller> & { uid?: number } = {}): Caller {
    return callerIn({ scope, scopeName: nameOf(scope) }, given);
  }

  /** A namespace with one process, activated and given rules. */
  async activated(
    scope: bigint,
    rules: string[],
    given: Partial<ProcessFacts> = {},
  ): Promise<Namespace> {
    if (!this.processes.some((process) => process.scope === scope)) {
      this.processes.push(processIn(scope, Number(scope) * 100, given));
    }
    const namespace = this.registry.obtain(scope, nameOf(scope), 1);
    this.lineage.activate(scope, (await this.walks.walk()).processes, []);
    namespace.activate({ by: 'system', ownerUid: 0, time: '' });
    changeIma(namespace.ima, { policy: policyOf(...rules) });
    this.registry.changed();
    return namespace;
  }
}
