/**
 * TPM strings (DESIGN section 5). tpm2-tss would load any shared object named in such a string and
 * run a shell command for `cmd:`; so a string is matched whole here, and tpm2-tss gets only what is
 * built anew from the parts, beginning with the file name of the one library that is meant.
 */
import { failure, type Result, success } from '../base/result.js';

export interface Tcti {
  readonly kind: 'swtpm' | 'device' | 'tabrmd';
  /** What Tss2_TctiLdr_Initialize gets. */
  readonly tcti: string;
  /** As users write it and status shows it. */
  readonly name: string;
  /** Equal for two strings that lead to one TPM, as far as the strings tell. */
  readonly identity: string;
}

const TAKEN =
  'taken are swtpm:host=HOST,port=PORT, swtpm:path=/SOCKET, device:/dev/tpm0, device:/dev/tpmrm0 and tabrmd:';

/** sun_path is 108 bytes with its NUL, and tcti-swtpm appends `.ctrl` for the control socket. */
export const SOCKET_PATH_BYTES = 107 - '.ctrl'.length;

const HOST =
  /^[0-9A-Za-z](?:[0-9A-Za-z._-]{0,252}[0-9A-Za-z])?$|^(?=.*[0-9A-Fa-f:]$)[0-9A-Fa-f:]{2,39}$/;
const PORT = /^[1-9]\d{0,4}$/;
const DEVICE = /^\/dev\/tpm(rm)?(0|[1-9]\d{0,4})$/;
/** D-Bus specification, "Bus names": well-known names, at most 255 characters. */
const BUS_NAME = /^(?=.{3,255}$)[A-Za-z_-][A-Za-z0-9_-]*(\.[A-Za-z_-][A-Za-z0-9_-]*)+$/;
/** Characters that end a value for tpm2-tss, or that no log line should hold. */
const UNSAFE_IN_PATH = /[,=\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD\\]/u;

const DEFAULT_HOST = 'localhost';
const DEFAULT_PORT = '2321';
const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '::1']);
const DEFAULT_BUS_NAME = 'com.intel.tss2.Tabrmd';

/** `key=value,key=value` with each key at most once and known; undefined where it is not that. */
const parsePairs = (
  text: string,
  keys: readonly string[],
): ReadonlyMap<string, string> | undefined => {
  const pairs = new Map<string, string>();
  if (text === '') return pairs;
  for (const pair of text.split(',')) {
    const equals = pair.indexOf('=');
    const key = pair.slice(0, equals);
    if (equals < 0 || !keys.includes(key) || pairs.has(key)) return undefined;
    pairs.set(key, pair.slice(equals + 1));
  }
  return pairs;
};

const parseSocket = (path: string): Result<Tcti, string> => {
  const words = path.split('/').slice(1);
  const isPlain = words.every((word) => word !== '' && word !== '.' && word !== '..');
  if (!path.startsWith('/') || !isPlain || UNSAFE_IN_PATH.test(path)) {
    return failure(
      `swtpm:path= takes an absolute path without empty, '.' or '..' parts, commas, '=', backslashes and control characters`,
    );
  }
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES) {
    return failure(
      `swtpm:path= takes at most ${SOCKET_PATH_BYTES} bytes, the limit of a socket's path: ${path}`,
    );
  }
  const name = `swtpm:path=${path}`;
  return success({
    kind: 'swtpm',
    tcti: `libtss2-tcti-swtpm.so.0:path=${path}`,
    name,
    identity: name,
  });
};

const parseSwtpm = (text: string): Result<Tcti, string> => {
  if (text.startsWith('path=')) return parseSocket(text.slice('path='.length));
  const pairs = parsePairs(text, ['host', 'port']);
  if (pairs === undefined) {
    return failure('swtpm: takes host= and port=, or path= alone');
  }
  const host = (pairs.get('host') ?? DEFAULT_HOST).toLowerCase();
  const port = pairs.get('port') ?? DEFAULT_PORT;
  if (!HOST.test(host)) return failure('swtpm:host= takes a host name or an address');
  // The control channel is at the next port.
  if (!PORT.test(port) || Number(port) > 65534) {
    return failure('swtpm:port= takes a number from 1 to 65534');
  }
  const place = `host=${host},port=${port}`;
  return success({
    kind: 'swtpm',
    tcti: `libtss2-tcti-swtpm.so.0:${place}`,
    name: `swtpm:${place}`,
    identity: `swtpm:host=${LOCAL_HOSTS.has(host) ? DEFAULT_HOST : host},port=${port}`,
  });
};

const parseDevice = (path: string): Result<Tcti, string> => {
  const [, , number] = DEVICE.exec(path) ?? [];
  if (number === undefined) {
    return failure('device: takes /dev/tpmN or /dev/tpmrmN, such as device:/dev/tpmrm0');
  }
  return success({
    kind: 'device',
    tcti: `libtss2-tcti-device.so.0:${path}`,
    name: `device:${path}`,
    // /dev/tpm0 and /dev/tpmrm0 are the same TPM.
    identity: `device:${number}`,
  });
};

const parseTabrmd = (text: string): Result<Tcti, string> => {
  const pairs = parsePairs(text, ['bus_type', 'bus_name']);
  const type = pairs?.get('bus_type') ?? 'system';
  const name = pairs?.get('bus_name') ?? DEFAULT_BUS_NAME;
  if (pairs === undefined || !['system', 'session'].includes(type) || !BUS_NAME.test(name)) {
    return failure('tabrmd: takes bus_type=system or bus_type=session, and bus_name=');
  }
  const place = `bus_type=${type},bus_name=${name}`;
  return success({
    kind: 'tabrmd',
    tcti: `libtss2-tcti-tabrmd.so.0:${place}`,
    name: text === '' ? 'tabrmd:' : `tabrmd:${place}`,
    identity: `tabrmd:${place}`,
  });
};

/** The problem is a sentence without a full stop that says what is taken. */
export const parseTcti = (text: string): Result<Tcti, string> => {
  const colon = text.indexOf(':');
  const rest = text.slice(colon + 1);
  switch (text.slice(0, colon + 1)) {
    case 'swtpm:':
      return parseSwtpm(rest);
    case 'device:':
      return parseDevice(rest);
    case 'tabrmd:':
      return parseTabrmd(rest);
    default:
      return failure(`this is not a TPM: ${TAKEN}`);
  }
};
