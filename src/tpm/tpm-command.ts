/** The few TPM commands that a swtpm of our own needs around its life, as bytes over its socket. */
import { connect } from 'node:net';

const TPM_ST_NO_SESSIONS = 0x8001;
const TPM_CC_STARTUP = 0x144;
const TPM_CC_SHUTDOWN = 0x145;
const HEADER_BYTES = 10;
const RESPONSE_CODE_OFFSET = 6;

export const TPM_SU_CLEAR = 0;
/** The PCRs are as the last Shutdown with TPM_SU_STATE left them. */
export const TPM_SU_STATE = 1;

export const TPM_RC_SUCCESS = 0;
/** Of TPM2_Startup: it was started before. Of any other: it is not yet. */
export const TPM_RC_INITIALIZE = 0x100;

const command = (code: number, type: number): Buffer => {
  const bytes = Buffer.alloc(HEADER_BYTES + 2);
  bytes.writeUInt16BE(TPM_ST_NO_SESSIONS, 0);
  bytes.writeUInt32BE(bytes.length, 2);
  bytes.writeUInt32BE(code, 6);
  bytes.writeUInt16BE(type, HEADER_BYTES);
  return bytes;
};

/** Response code. Rejects with the socket's error, or when there is no answer for `timeoutMs`. */
const send = (socketPath: string, bytes: Buffer, timeoutMs: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let response = Buffer.alloc(0);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('swtpm does not answer')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('swtpm closed the connection')));
    socket.on('data', (chunk) => {
      response = Buffer.concat([response, chunk]);
      if (response.length < HEADER_BYTES) return;
      resolve(response.readUInt32BE(RESPONSE_CODE_OFFSET));
      socket.destroy();
    });
    socket.write(bytes);
  });

export const startup = (socketPath: string, type: number, timeoutMs: number): Promise<number> =>
  send(socketPath, command(TPM_CC_STARTUP, type), timeoutMs);

export const shutdown = (socketPath: string, type: number, timeoutMs: number): Promise<number> =>
  send(socketPath, command(TPM_CC_SHUTDOWN, type), timeoutMs);

/** Whether anybody listens there. */
export const isServed = (socketPath: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.on('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
  });
