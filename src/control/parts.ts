/** What the control tree is wired to by the daemon. */
import type { Log } from '../base/log.js';
import type { Addon, NativeTransport } from '../binding/addon-types.js';
import type { NamespacePolicy } from '../daemon-options.js';
import type { BufferMeasurements } from '../namespaces/buffer-measurements.js';
import type { Keyrings } from '../namespaces/keyrings.js';
import type { Lifecycle } from '../namespaces/lifecycle.js';
import type { Namespace } from '../namespaces/namespace.js';
import type { NamespaceIds } from '../namespaces/namespace-ids.js';
import type { PolicyLoader } from '../namespaces/policy-loader.js';
import type { Registry } from '../namespaces/registry.js';
import type { Settings } from '../namespaces/settings.js';
import type { NamedCertificate } from './keyring-files.js';
import type { Labeller } from './label.js';
import type { ListView } from './list-file.js';
import type { StatusReport } from './status-report.js';

export interface ControlParts {
  readonly log: Log;
  /** Name of the tree at the root of the mount, `.ima`. */
  readonly controlName: string;
  readonly nsPolicy: NamespacePolicy;
  readonly addon: Pick<Addon, 'namespaceOwner' | 'isUserNamespaceAncestor'>;
  readonly ids: Pick<NamespaceIds, 'namespaceLives'>;
  readonly transport: Pick<NativeTransport, 'notifyPoll'>;
  readonly registry: Pick<Registry, 'system' | 'ofCaller' | 'byName' | 'activated'>;
  readonly lifecycle: Pick<Lifecycle, 'activate' | 'activateSelf'>;
  readonly settings: Pick<Settings, 'setMode' | 'setHash' | 'setTemplate' | 'setTpm'>;
  readonly policyLoader: Pick<PolicyLoader, 'open' | 'close'>;
  readonly labeller: Labeller;
  readonly keyrings: Pick<Keyrings, 'add' | 'blacklist'>;
  readonly bufferMeasurements: Pick<BufferMeasurements, 'measure'>;
  /** CAs of the system keyring. */
  readonly authorities: readonly NamedCertificate[];
  /** The measurement list of a namespace, undefined before it is active. */
  readonly listOf: (namespace: Namespace) => ListView | undefined;
  /** What `status` of a namespace shows. */
  readonly statusOf: (namespace: Namespace) => StatusReport;
}
