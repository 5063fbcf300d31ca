import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTcti } from '../../../src/tpm/tcti.js';

const TAKEN: readonly (readonly [string, { tcti: string; name: string; identity: string }])[] = [
  [
    'swtpm:host=tpm-1.example.org,port=2321',
    {
      tcti: 'libtss2-tcti-swtpm.so.0:host=tpm-1.example.org,port=2321',
      name: 'swtpm:host=tpm-1.example.org,port=2321',
      identity: 'swtpm:host=tpm-1.example.org,port=2321',
    },
  ],
  [
    'swtpm:port=7,host=127.0.0.1',
    {
      tcti: 'libtss2-tcti-swtpm.so.0:host=127.0.0.1,port=7',
      name: 'swtpm:host=127.0.0.1,port=7',
      identity: 'swtpm:host=localhost,port=7',
    },
  ],
  [
    'swtpm:host=::1',
    {
      tcti: 'libtss2-tcti-swtpm.so.0:host=::1,port=2321',
      name: 'swtpm:host=::1,port=2321',
      identity: 'swtpm:host=localhost,port=2321',
    },
  ],
  [
    'swtpm:',
    {
      tcti: 'libtss2-tcti-swtpm.so.0:host=localhost,port=2321',
      name: 'swtpm:host=localhost,port=2321',
      identity: 'swtpm:host=localhost,port=2321',
    },
  ],
  [
    'swtpm:path=/run/my tpm/söck',
    {
      tcti: 'libtss2-tcti-swtpm.so.0:path=/run/my tpm/söck',
      name: 'swtpm:path=/run/my tpm/söck',
      identity: 'swtpm:path=/run/my tpm/söck',
    },
  ],
  [
    'device:/dev/tpm0',
    {
      tcti: 'libtss2-tcti-device.so.0:/dev/tpm0',
      name: 'device:/dev/tpm0',
      identity: 'device:0',
    },
  ],
  [
    'device:/dev/tpmrm12',
    {
      tcti: 'libtss2-tcti-device.so.0:/dev/tpmrm12',
      name: 'device:/dev/tpmrm12',
      identity: 'device:12',
    },
  ],
  [
    'tabrmd:',
    {
      tcti: 'libtss2-tcti-tabrmd.so.0:bus_type=system,bus_name=com.intel.tss2.Tabrmd',
      name: 'tabrmd:',
      identity: 'tabrmd:bus_type=system,bus_name=com.intel.tss2.Tabrmd',
    },
  ],
  [
    'tabrmd:bus_name=org.example.Tabrmd-1,bus_type=session',
    {
      tcti: 'libtss2-tcti-tabrmd.so.0:bus_type=session,bus_name=org.example.Tabrmd-1',
      name: 'tabrmd:bus_type=session,bus_name=org.example.Tabrmd-1',
      identity: 'tabrmd:bus_type=session,bus_name=org.example.Tabrmd-1',
    },
  ],
];

for (const [text, expected] of TAKEN) {
  test(`${text} is taken and built anew from its parts`, () => {
    const parsed = parseTcti(text);
    assert.ok(parsed.ok);
    const { tcti, name, identity } = parsed.value;
    assert.deepEqual({ tcti, name, identity }, expected);
    assert.deepEqual(parseTcti(name), parsed, 'a name leads to the same TPM');
  });
}

const REFUSED: readonly string[] = [
  '',
  'swtpm',
  'none:',
  ':',
  // What tpm2-tss runs, loads or writes to.
  'cmd:touch /tmp/x',
  'cmd:/bin/sh',
  'libtss2-tcti-cmd.so.0:/bin/sh',
  'libtss2-tcti-swtpm.so.0:path=/run/sock',
  '/tmp/evil.so',
  '/tmp/evil.so:swtpm:',
  './evil.so:',
  'pcap:device:/dev/tpm0',
  'mssim:host=localhost,port=2321',
  'tctildr:swtpm:',
  'swtpm/../../tmp/evil.so:',
  ' swtpm:',
  'SWTPM:',
  'swtpm :port=1',
  'device::/dev/tpm0',
  // Hosts and ports.
  'swtpm:host=',
  'swtpm:host=a b',
  'swtpm:host=-a',
  'swtpm:host=a;reboot',
  'swtpm:host=[::1]',
  'swtpm:host=a\n',
  'swtpm:host=a=b',
  'swtpm:port=0',
  'swtpm:port=02321',
  'swtpm:port=65535',
  'swtpm:port=99999',
  'swtpm:port=2321 ',
  'swtpm:port=+1',
  'swtpm:port=1,port=2',
  'swtpm:port=1,',
  'swtpm:,port=1',
  'swtpm:Host=a',
  'swtpm:host=a,path=/run/sock',
  'swtpm:host',
  // Paths of sockets.
  'swtpm:path=',
  'swtpm:path=sock',
  'swtpm:path=/',
  'swtpm:path=//run/sock',
  'swtpm:path=/run/../sock',
  'swtpm:path=/run/./sock',
  'swtpm:path=/run/sock/',
  'swtpm:path=/run/a,host=evil',
  'swtpm:path=/run/a=b',
  'swtpm:path=/run/a\\b',
  'swtpm:path=/run/a\nb',
  'swtpm:path=/run/a\0b',
  'swtpm:path=/run/a\u202eb',
  'swtpm:path=/run/a\uFFFDb',
  `swtpm:path=/${'a'.repeat(102)}`,
  `swtpm:path=/${'ö'.repeat(51)}`,
  // Devices.
  'device:',
  'device:/dev/tpm',
  'device:/dev/tpmrm',
  'device:/dev/tpm00',
  'device:/dev/tpm0/../sda',
  'device:/dev/../dev/tpm0',
  'device:/dev//tpm0',
  'device:/dev/sda',
  'device:/dev/tpm0\n',
  'device:/dev/tpm0 ',
  'device:tpm0',
  // D-Bus.
  'tabrmd:bus_type=other',
  'tabrmd:bus_type=',
  'tabrmd:bus_name=',
  'tabrmd:bus_name=nodots',
  'tabrmd:bus_name=a..b',
  'tabrmd:bus_name=a.1b',
  'tabrmd:bus_name=a.b;c',
  'tabrmd:bus_name=:1.5',
  `tabrmd:bus_name=a.${'b'.repeat(254)}`,
  'tabrmd:bus_type=system,bus_type=session',
  'tabrmd:x=y',
];

for (const text of REFUSED) {
  test(`${JSON.stringify(text)} is refused`, () => {
    const parsed = parseTcti(text);
    assert.ok(!parsed.ok);
    assert.match(parsed.problem, /take/);
  });
}

test('the longest path of a socket is taken', () => {
  assert.ok(parseTcti(`swtpm:path=/${'a'.repeat(101)}`).ok);
});
