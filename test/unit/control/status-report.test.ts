import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StatusSources, statusReport } from '../../../src/control/status-report.js';
import { Fixture } from './fixture.js';

const fixture = new Fixture();

const sources = {
  version: '0.1.0',
  startedAt: new Date(0),
  options: { mountpoint: '/m', backing: '/b', appraise: 'enforce_ns', nsPolicy: 'stack' },
  facts: () => ({ passthrough: 'rw' }),
  counters: () => ({ remembered: 3 }),
  audit: () => ({ records: 0, lost: 0, sink: undefined }),
  unsettled: () => [{ path: '/f', reason: 'crash' }],
  namespaces: () => fixture.namespaces,
  measurements: () => ({ count: 7 }),
  lastPolicyFailure: () => undefined,
  lastKeyRefusal: () => undefined,
  unadmittedKeys: [],
} as unknown as StatusSources;

test('the system sees the mount and every namespace', () => {
  const report = statusReport(fixture.system, sources);
  assert.equal(report.mount?.counters.remembered, 3);
  assert.deepEqual(
    report.mount.namespaces.map(({ namespace }) => namespace),
    fixture.namespaces.map(({ name }) => name),
  );
  assert.deepEqual(report.mount.unsettled, [{ path: '/f', reason: 'crash' }]);
});

test('another namespace sees itself and nothing of the mount', () => {
  const report = statusReport(fixture.container, sources);
  assert.equal(report.mount, undefined);
  assert.equal(report.namespace, 4_026_532_001);
  assert.equal(report.id, '2');
  assert.deepEqual(report.limits['rules'], { used: 0, limit: 1024 });
  assert.deepEqual(report.limits['keys'], { used: 0, limit: 256 });
  assert.deepEqual(report.limits['entries'], { used: 7, limit: 262_144 });
  assert.equal(report.measurements?.count, 7);
  assert.deepEqual(report.limits['selfActivations'], { used: 0, limit: 64 });
  assert.deepEqual(Object.keys(report.limits).slice(0, 3), ['denials', 'events', 'files']);
  assert.equal(
    report.policy.digest,
    'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
  assert.equal(JSON.stringify(report).includes('"/f"'), false);
});
