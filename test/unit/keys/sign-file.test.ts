/** What the kernel's own scripts/sign-file (Debian's linux-kbuild-6.1, `sign-file sha512`) appends to a module. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { loadAddon } from '../../../src/binding/addon.js';
import { Keyring } from '../../../src/ima/keyring/keyring.js';
import { parseCertificate } from '../../../src/keys/certificate.js';
import { parsePkcs7 } from '../../../src/keys/pkcs7.js';
import { trustedKey } from '../../../src/keys/trusted-key.js';
import { isModuleSignature, verifyPkcs7 } from '../../../src/keys/verify-pkcs7.js';

const CERTIFICATE = `
MIIDFTCCAf2gAwIBAgIUTKkjPxXeHpkL7pqBj5UR4XpCpCAwDQYJKoZIhvcNAQELBQAwFDESMBAGA1UEAwwJc2lnbi1maWxl
MCAXDTI2MTEyMjE0Mjk1MloYDzIxMjYxMDI5MTQyOTUyWjAUMRIwEAYDVQQDDAlzaWduLWZpbGUwggEiMA0GCSqGSIb3DQEB
AQUAA4IBDwAwggEKAoIBAQCl6HpXt+cVqbjDiuFlzDVwl0wScWBGXKc7NxPLm+vr+v0K9ExDp5OUcmhwIDZaJuOnWAh2jD/T
e0YbkwaOdFRoVsDA9kuscT7ZXn9dVS53UfnIFrMkHL3NpdjRj99/d5j4KupTueeleYXRNImMArMRkrgW7jIq7sfPwBIfHoPN
x04+3rm/7d6GuzDuSWxH5DqfJl+4ysmAx0FWlnGUakv0SZbU9oig/suqP8hXw32X4vj9Lwv0O3SFpjeCc9YdgIoz0KNzehZr
bnrhZymAQb6mYBzrki0GDL5G2QubRI8nNTzNuDnAIxgmT2nBmf3B52Drvy7uL87LF+kUK2Y1XF2fAgMBAAGjXTBbMB0GA1Ud
DgQWBBSzLkopdAtFCf8ahseCQcXlwyK5ODAfBgNVHSMEGDAWgBSzLkopdAtFCf8ahseCQcXlwyK5ODALBgNVHQ8EBAMCB4Aw
DAYDVR0TAQH/BAIwADANBgkqhkiG9w0BAQsFAAOCAQEAFDsWCN4dljllixDlCFpzJoZiFV2rBh25MEfXWNg7PBEJTsH8AVrn
pt90v3EJBlh9AoRlmsB4ALV3ymdmSx6qDmYYn/QVa4MzHAGzLE4wY0F0nxuJafqogTo6oMEO/tTCI9swvRo1b5ZBNyrCwwwu
6MJ81ZqT+jIHeWWRTT2/ehVsPFmEAzIb7930vNwNNmyzfDsfUhcfFBP7g4bP/eLu6hGpdWQZ1sdFLgWMM8yEzKO/zujereyt
+qV6T3mEFDWObvRz+X/9DQno/XLgoztJB865jxmnM4xbVvjgWwiy4s+HHQp47dTPm/TQkvBP9qS0kWx1hcD+sV7d/cljjVgd
gQ==
`;

/** The module `a module, say`, the message, struct module_signature and the marker. */
const SIGNED_MODULE = `
YSBtb2R1bGUsIHNheTCCAYsGCSqGSIb3DQEHAqCCAXwwggF4AgEBMQ0wCwYJYIZIAWUDBAIDMAsGCSqGSIb3DQEHATGCAVUw
ggFRAgEBMCwwFDESMBAGA1UEAwwJc2lnbi1maWxlAhRMqSM/Fd4emQvumoGPlRHhekKkIDALBglghkgBZQMEAgMwDQYJKoZI
hvcNAQEBBQAEggEAXEj8/OpC1EMuzisjkJlsLmXs+4jMsAayRRR6iITnCkgKgigIyp7a3YP2+n7JgC8f5t4EjUWlnkg3hmfP
Mmk70yVMxTb88adAQNuZA50YGcZZivlEct6ZrwgGfc0qguxtEqKqHQW3B7nxN65ZltTxwotktKT6N6FLoWz4nrEo67ph3kWM
ph6uKmEWlHcI3idPOga0mYFrhNCnfgC6SiQhoDgx37vF9adYMJv7GcMtD/MMQA9z57iDCcgpsIwMslt+MW8zmTxUIm0PDbYr
JFJVYB+iD0b/OvQcWqvVUJByL2z8XRRNmPrBfb4uw7Nxh27dWDupXfjVKerXdTG0IFCWeQAAAgAAAAAAAAABj35Nb2R1bGUg
c2lnbmF0dXJlIGFwcGVuZGVkfgo=
`;

const MODULE = 'a module, say';
const MARKER = '~Module signature appended~\n';
/** struct module_signature, whose last member is the length of the message. */
const TRAILER_BYTES = 12;

test('it parses as a module signature and verifies by its key', () => {
  const signed = Buffer.from(SIGNED_MODULE, 'base64');
  assert.equal(signed.toString('latin1', 0, MODULE.length), MODULE);
  const end = signed.length - MARKER.length - TRAILER_BYTES;
  const length = signed.readUInt32BE(end + TRAILER_BYTES - 4);
  assert.equal(end - length, MODULE.length);
  const message = parsePkcs7(signed.subarray(end - length, end));
  assert.ok(message.ok);
  assert.equal(message.value.digestAlgorithm, 'sha512');
  assert.equal(message.value.signers[0]?.id.kind, 'issuer-and-serial');
  assert.deepEqual(message.value.certificates, []);
  assert.equal(isModuleSignature(message.value), true);

  const certificate = parseCertificate(Buffer.from(CERTIFICATE, 'base64'));
  assert.ok(certificate.ok);
  const addon = loadAddon();
  const keyring = new Keyring();
  keyring.add(trustedKey(certificate.value, (spki) => addon.publicKey(spki)));
  const verifies = (module: string): boolean =>
    verifyPkcs7(message.value, createHash('sha512').update(module).digest(), keyring);
  assert.deepEqual([verifies(MODULE), verifies('another')], [true, false]);
});
